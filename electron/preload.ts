/** The preload: gives the window the functions of the schema, and nothing else of Electron. */
import { contextBridge, ipcRenderer } from 'electron';
import { z } from 'zod';
import { createBridge } from './ipc-schema/bridge.ts';

// Zod would otherwise try whether eval works, and the policy forbids the trial.
z.config({ jitless: true });

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
