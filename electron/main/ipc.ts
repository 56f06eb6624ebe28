/** The window's requests: who asks is looked at first, then what is asked, then what is answered. */
import { type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron';
import type { Log } from '../../app/station/ports.ts';
import { type Answer, refusal } from '../ipc-schema/answer.ts';
import type { Answerer } from '../ipc-schema/answerer.ts';
import { CALLS, channelOf } from '../ipc-schema/calls.ts';
import { ORIGIN } from './app-protocol.ts';

const STRANGER: Answer<never> = refusal('not-permitted');

/** Answers requests from the main frame of `window`, on our own address, and from nothing else. */
export function answerCalls(window: () => WebContents | undefined, answer: Answerer, log: Log): void {
  for (const { name } of CALLS) {
    ipcMain.handle(channelOf(name), (event, input: unknown) => {
      if (isOurs(event, window())) return answer(name, input);
      log('warn', 'refused', { step: name, detail: 'sender' });
      return STRANGER;
    });
  }
}

function isOurs({ sender, senderFrame }: IpcMainInvokeEvent, window: WebContents | undefined): boolean {
  if (window === undefined || sender !== window || senderFrame === null) return false;
  return senderFrame === window.mainFrame && senderFrame.url.startsWith(`${ORIGIN}/`);
}
