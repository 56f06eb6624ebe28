/** The preload: gives the window the functions of the schema, and nothing else of Electron. */
import { contextBridge, ipcRenderer, webFrame } from 'electron';
import { z } from 'zod';
import { createBridge } from './ipc-schema/bridge.ts';

// Zod would otherwise try whether eval works, and the policy forbids the trial.
z.config({ jitless: true });

// The page has no use for lines of its own to anywhere. Main keeps them from leaving (guards.ts); here the page's own ones are taken away.
void webFrame.executeJavaScript(
  'for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) delete globalThis[name];',
);

contextBridge.exposeInMainWorld(
  'kaika',
  createBridge({
    invoke: (channel, input) => ipcRenderer.invoke(channel, input),
    listen: (channel, listener) => {
      const heard = (_event: unknown, value: unknown) => listener(value);
      ipcRenderer.on(channel, heard);
      return () => ipcRenderer.removeListener(channel, heard);
    },
  }),
);
