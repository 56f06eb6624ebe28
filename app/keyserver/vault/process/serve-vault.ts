/** What the serving vault process does: it opens its token, then carries out the operations that it was given, and no other. */
import { VaultError } from '../error.ts';
import { configureSchema, type Opened } from '../messages.ts';
import type { AnyRun } from '../operation.ts';
import { type Family, operationsOf } from '../registry.ts';
import { dispatchOf } from './dispatch.ts';
import { atWorkbench, type Workbench } from './run/workbench.ts';
import { serve } from './serve.ts';
import { DemoRefused, PinRefused } from './token/open-token.ts';
import { TokenKeeper } from './token/token-keeper.ts';

/** Serves until the parent goes. The first message names the token. @throws Error when this process cannot be protected */
export function serveVault(families: readonly Family[]): Promise<void> {
  return serve(async () => {
    const dispatch = dispatchOf(operationsOf(families), await runsOf(families));
    let keeper: TokenKeeper | undefined;
    return {
      handle(body) {
        if (keeper === undefined) {
          keeper = new TokenKeeper(configureSchema.parse(body).config, 'read');
          return opened(keeper);
        }
        const work = dispatch(body);
        return keeper.run((token) => atWorkbench(token, work));
      },
      end() {
        keeper?.drop();
      },
    };
  });
}

async function runsOf(families: readonly Family[]): Promise<Readonly<Record<string, AnyRun<Workbench>>>> {
  const loaded = await Promise.all(families.map(({ load }) => load()));
  return Object.fromEntries(loaded.flatMap((runs) => Object.entries(runs)));
}

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
