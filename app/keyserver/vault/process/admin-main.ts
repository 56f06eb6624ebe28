/** Entry of the admin process (started by admin.ts) for set-up and ceremony. */
import { type AdminCall, adminCallSchema } from '../admin-messages.ts';
import { ensureSealKey, generateMaster, importMaster, markDemo } from './run/ceremony.ts';
import { initToken } from './run/init-token.ts';
import { listMasters, masterInfo } from './run/masters.ts';
import { type MasterKeyId, type MasterKeyInfo, VaultError } from '../port.ts';
import { serve } from './serve.ts';
import { syncSoftHsm } from '../softhsm.ts';
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
    tokens().run((token) => token.sessions.use((session) => masterInfo({ session, keys: token.keys }, id)));
  tokens().runOnce((token) => token.sessions.use(work));
  const made = info();
  settle();
  const found = info();
  if (found.algorithm !== made.algorithm || !Buffer.from(found.checkValue).equals(made.checkValue))
    throw new VaultError('hsm-away', 'the token does not give back the key it made');
  return found;
}

function carryOut(call: AdminCall): unknown {
  switch (call.op) {
    case 'configure':
      keeper = new TokenKeeper(call.config, 'write');
      keeper.run(() => undefined);
      return undefined;
    case 'initToken':
      initToken(call.module, call.label, asBuffer(call.pin), asBuffer(call.soPin));
      return undefined;
    case 'generateMaster':
      return make(call.id, (session) => generateMaster(session, call.id, call.algorithm));
    case 'importMaster':
      return make(call.id, (session) => importMaster(session, call.id, call.algorithm, call.value));
    case 'listMasters':
      return tokens().run((token) =>
        token.sessions.use((session) => listMasters({ session, keys: token.keys })),
      );
    case 'ensureSealKey':
      tokens().runOnce((token) => token.sessions.use(ensureSealKey));
      settle();
      return undefined;
    case 'markDemo':
      tokens().runOnce((token) => token.sessions.use(markDemo));
      settle();
      return undefined;
  }
}

serve({
  handle(body) {
    const call = adminCallSchema.safeParse(body);
    if (!call.success)
      throw new VaultError('refused', `malformed request (${call.error.issues[0]?.path.join('.') ?? ''})`);
    return carryOut(call.data);
  },
  end() {
    keeper?.drop();
  },
});
