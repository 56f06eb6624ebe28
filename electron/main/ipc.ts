/** The window's requests: who asks is looked at first, then what is asked, then what is answered. */
import { type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron';
import type { Log } from '../../app/station/ports.ts';
import { type Answer, channelOf, createAnswerer, type Handlers } from '../ipc-schema/bridge.ts';
import { REQUEST_NAMES } from '../ipc-schema.ts';
import { ORIGIN } from './app-protocol.ts';

const STRANGER: Answer<never> = { ok: false, code: 'not-permitted', details: {} };

/** Answers requests from the main frame of `window`, on our own address, and from nothing else. */
export function answerRequests(window: () => WebContents | undefined, handlers: Handlers, log: Log): void {
  const answer = createAnswerer(handlers, (step, detail) => log('warn', 'request fault', { step, detail }));
  for (const name of REQUEST_NAMES) {
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
