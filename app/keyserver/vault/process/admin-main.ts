/** Entry of the admin process, started by admin.ts, for set-up and ceremony. */
import { adminOperations } from '../admin-operations.ts';
import { VaultError } from '../error.ts';
import type { MasterKeyId, MasterKeyInfo } from '../keys.ts';
import { byName, type RunsOf } from '../operation.ts';
import { syncSoftHsm } from '../softhsm.ts';
import { dispatchOf } from './dispatch.ts';
import { ensureSealKey, generateMaster, importMaster, markDemo, setRule } from './run/ceremony.ts';
import { initToken } from './run/init-token.ts';
import { listMasters, masterInfo } from './run/masters.ts';
import { atWorkbench } from './run/workbench.ts';
import { serve } from './serve.ts';
import { asBuffer, type TokenSession } from './token/session.ts';
import { TokenKeeper } from './token/token-keeper.ts';

let keeper: TokenKeeper | undefined;

function tokens(): TokenKeeper {
  if (keeper === undefined) throw new VaultError('refused', 'no token is configured');
  return keeper;
}

/** Synced and opened again, so that what is believed of a new key is what a later start will find. */
function settle(): void {
  const conf = process.env['SOFTHSM2_CONF'];
  if (conf !== undefined) syncSoftHsm(conf);
  tokens().drop();
}

/** Makes a key, and looks at it before and after the token was opened again. */
function make(id: MasterKeyId, work: (session: TokenSession) => void): MasterKeyInfo {
  const info = (): MasterKeyInfo =>
    tokens().run((token) => atWorkbench(token, (bench) => masterInfo(bench, id)));
  tokens().runOnce((token) => token.sessions.use(work));
  const made = info();
  settle();
  const found = info();
  if (found.algorithm !== made.algorithm || !Buffer.from(found.checkValue).equals(made.checkValue))
    throw new VaultError('hsm-away', 'the token does not give back the key it made');
  return found;
}

/** Work that changes the token: once, and settled before it counts. */
function change(work: (session: TokenSession) => void): undefined {
  tokens().runOnce((token) => token.sessions.use(work));
  settle();
  return undefined;
}

const runs: RunsOf<typeof adminOperations, undefined> = {
  configure: (_, { config }) => {
    keeper = new TokenKeeper(config, 'write');
    keeper.run(() => undefined);
    return undefined;
  },
  initToken: (_, { module, label, pin, soPin }) => {
    initToken(module, label, asBuffer(pin), asBuffer(soPin));
    return undefined;
  },
  generateMaster: (_, { id, algorithm, rule }) =>
    make(id, (session) => generateMaster(session, id, algorithm, rule)),
  importMaster: (_, { id, algorithm, value, rule }) =>
    make(id, (session) => importMaster(session, id, algorithm, value, rule)),
  setRule: (_, { id, rule }) => {
    tokens().runOnce((token) => atWorkbench(token, (bench) => setRule(bench, id, rule)));
    settle();
    return tokens().run((token) => atWorkbench(token, (bench) => masterInfo(bench, id)));
  },
  listMasters: () => tokens().run((token) => atWorkbench(token, listMasters)),
  ensureSealKey: () => change(ensureSealKey),
  markDemo: () => change(markDemo),
};

await serve(async () => {
  const dispatch = dispatchOf(adminOperations, byName(runs));
  return {
    handle: (body) => dispatch(body)(undefined),
    end: () => keeper?.drop(),
  };
});
