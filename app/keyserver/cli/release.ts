/** `release`: one person lets a card be worked on again; two allow an attempt that may be a key's last, or say that an app is gone. */
import { ConfigError, type ServerConfig } from '../config.ts';
import { nameOf, releaseSetAside } from '../recovery/release.ts';
import { OWN_RESOURCES, openCatalogue } from '../resources.ts';
import { inStore } from './in-store.ts';
import { LEAST_REASON, prove, reasonOf, type WhoOptions, whoAnswers } from './who.ts';

/** As typed. */
export interface ReleaseOptions extends WhoOptions {
  readonly card?: string;
  readonly gone?: string;
}

export async function release(config: ServerConfig, options: ReleaseOptions): Promise<number> {
  const { card, operator, second, gone } = options;
  const reason = reasonOf(options);
  if (card === undefined || operator === undefined || reason.length < LEAST_REASON)
    throw new ConfigError(
      'release needs --card ID, --operator ID and --reason TEXT of 5 characters at least.',
    );
  if (gone !== undefined && second === undefined)
    throw new ConfigError('release --gone APP needs --second ID of another supervisor as well.');
  const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
  const who = await whoAnswers(operator, second);
  const agrees = who.second === undefined ? {} : { second: who.second };
  const decision = { card, operator, reason, ...agrees, ...(gone === undefined ? {} : { gone }) };
  const { lastTries } = await inStore(config, async (store) => {
    const now = new Date();
    await prove(store, { operator, secret: who.secret }, 'decide-card', config, now);
    return releaseSetAside(store, catalogue, decision, now);
  });
  const people = second === undefined ? operator : `${operator} and ${second}`;
  const lines = [
    `Card ${card} may be worked on again; that is on record under ${people}.`,
    ...(gone === undefined ? [] : [`Nothing is kept of ${gone} any more.`]),
    ...lastTries.map((one) => (one.granted ? ALLOWED : LEFT_ALONE)(nameOf(one))),
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  return 0;
}

const LEFT_ALONE = (key: string) =>
  `Left alone: ${key}. One wrong attempt more may lock it for good, so none is sent. Two people may allow it: --second ID of another supervisor.`;

const ALLOWED = (key: string) =>
  `Allowed once: an attempt with ${key} that may be its last. If it is wrong, it locks it for good. It is used up when it is sent; a station that has counted wrong answers itself sends it only with "lastTries" in station.json.`;
