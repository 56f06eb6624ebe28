/** Entry of the serving vault process (started by client.ts): alone loads the PKCS#11 module and knows the PIN. */
import { configureSchema, type Opened, vaultCallSchema } from '../messages.ts';
import { dispatch } from './run/dispatch.ts';
import { VaultError } from '../port.ts';
import { serve } from './serve.ts';
import { DemoRefused, PinRefused } from './token/open-token.ts';
import { TokenKeeper } from './token/token-keeper.ts';

let keeper: TokenKeeper | undefined;

/** Opens the token once, so that the server hears of a wrong configuration at its start. */
function opened(tokens: TokenKeeper): Opened {
  try {
    tokens.run(() => undefined);
    return { token: 'open', message: '' };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    if (error instanceof DemoRefused) return { token: 'demo-refused', message: error.message };
    return { token: error instanceof PinRefused ? 'pin-refused' : 'away', message: error.message };
  }
}

serve({
  handle(body) {
    if (keeper === undefined) {
      const { config } = configureSchema.parse(body);
      keeper = new TokenKeeper(config, 'read');
      return opened(keeper);
    }
    const call = vaultCallSchema.safeParse(body);
    if (!call.success)
      throw new VaultError('refused', `malformed request (${call.error.issues[0]?.path.join('.') ?? ''})`);
    return keeper.run((token) => dispatch(token, call.data));
  },
  end() {
    keeper?.drop();
  },
});
