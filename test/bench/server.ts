/**
 * How many cards a key server takes: one server process, SQLite and PostgreSQL, simulated stations over mutual TLS with virtual cards that
 * answer at once. Stations, cards and database share the machine with the server. HSM calls are calls to the vault; SoftHSM is behind it.
 */

import type { Vault } from '../../app/keyserver/vault/port.ts';
import type { Wish } from '../../app/protocol/wire.ts';
import { issue } from '../support/forwarder.ts';
import { type IssuerRig, openIssuerRig, randomDigits } from '../support/issuer-rig.ts';
import { NO_POSTGRESQL, type StoreKind } from '../support/postgresql.ts';
import { issueOver, openServerSite, type SimulatedStation, type Site } from '../support/site.ts';

const STATIONS = [1, 8, 64];
const SECONDS = 6;
const CAP = 60;
const WRITES = [
  ['mtk', 0x36, 0xf6],
  ['mck', 0x39, 0xf9],
] as const;
const ENABLE: Wish[] = [{ app: 'e-wallet', action: 'enable' }];
const DELETE: Wish[] = [{ app: 'transit', action: 'delete' }];

export async function run(): Promise<unknown> {
  const ceiling = await vaultCeiling();
  console.log(`HSM alone: ${Math.round(ceiling)} calls/s`);
  const figures: Record<string, unknown> = { hsmCallsPerSecond: Math.round(ceiling) };
  for (const kind of ['sqlite', 'postgresql'] as const) {
    if (kind === 'postgresql' && NO_POSTGRESQL !== undefined) {
      console.log(`postgresql left out: ${NO_POSTGRESQL}`);
      figures[kind] = NO_POSTGRESQL;
    } else figures[kind] = await measure(kind, ceiling);
  }
  figures[`cardsPerHourAt${CAP}HsmCalls`] = await capped();
  return figures;
}

async function measure(kind: StoreKind, ceiling: number): Promise<Record<string, unknown>> {
  const site = await openServerSite(kind);
  const found: Record<string, unknown> = {};
  try {
    const server = await site.start();
    const calls = async () => {
      const text = await (await fetch(`http://127.0.0.1:${server.operationsPort}/metrics`)).text();
      return [...text.matchAll(/^kaika_hsm_calls_total\{.*\} (\d+)$/gm)].reduce(
        (sum, [, one]) => sum + Number(one),
        0,
      );
    };
    const stations: SimulatedStation[] = [];
    for (let at = 0; at < Math.max(...STATIONS); at += 1)
      stations.push(await site.station(`station-${at}`, [server.port]));
    await work(site, stations.slice(0, 2), 1);
    for (const count of STATIONS) {
      const before = await calls();
      const { cards, seconds, worst } = await work(site, stations.slice(0, count), SECONDS);
      const callsPerIssuing = ((await calls()) - before) / cards;
      const perSecond = cards / seconds;
      const share = (perSecond * callsPerIssuing) / ceiling;
      found[`${count} stations`] = {
        issuingsPerSecond: round(perSecond),
        hsmCallsPerIssuing: round(callsPerIssuing),
        shareOfHsmBound: round(share),
        worstRequestMs: Math.round(worst),
      };
      console.log(
        `${kind}, ${count} stations: ${round(perSecond)} issuings/s, ${round(callsPerIssuing)} HSM calls each, ` +
          `${Math.round(share * 100)} % of the HSM-bound limit, worst request ${Math.round(worst)} ms`,
      );
    }
  } finally {
    await site.close();
  }
  return found;
}

/** Lets the stations issue for so long; cards in hand at the end are finished and counted, with their time. */
async function work(site: Site, stations: readonly SimulatedStation[], seconds: number) {
  const begun = performance.now();
  const until = begun + seconds * 1000;
  let cards = 0;
  let worst = 0;
  await Promise.all(
    stations.map(async (station) => {
      do {
        const { outcome, longestMs } = await issueOver(site, station, ENABLE, 'e-wallet');
        if (outcome.result !== 'complete') throw new Error(`a card was not issued: ${outcome.error}`);
        worst = Math.max(worst, longestMs);
        cards += 1;
      } while (performance.now() < until);
    }),
  );
  return { cards, worst, seconds: (performance.now() - begun) / 1000 };
}

/** Calls that the vault process serves in a second when it has nothing to wait for, in the mix of an issuing. */
async function vaultCeiling(): Promise<number> {
  const rig = await openIssuerRig();
  try {
    const { vault } = rig.context;
    const key = (slot: string) => ({
      master: { purpose: `app/e-wallet/${slot}`, origin: 'issuer' as const, version: 1 },
      factor: new Uint8Array(8),
    });
    const challenge = new Uint8Array(4);
    const reply = new Uint8Array(900);
    // UPDATE BINARY of 8 bytes, with room for the MAC.
    const update = Uint8Array.of(0x04, 0xd6, 0x95, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8);
    let calls = 0;
    const until = performance.now() + 3_000;
    const lane = async () => {
      while (performance.now() < until) {
        await vault.fmcosCryptogram(key('mck'), challenge);
        await vault.fmcosMac(key('mtk'), challenge, update);
        for (const [slot, p1, typeInside] of WRITES) {
          await vault.fmcosKeyWrite({
            under: key('mck'),
            newKey: key(slot),
            p1,
            keyId: 0,
            header: { typeInside, useRight: 0xf0, changeRight: 0xf0, nextState: 0x0f, counter: 0x33 },
            challenge,
          });
        }
        for (const count of [0, 1, 2, 3]) await vault.seal(reply, `bench:${count}`);
        calls += 8;
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    return calls / 3;
  } finally {
    await rig.close();
  }
}

/** Cards an hour when the HSM takes no more than so many calls a second, without a network in between. */
async function capped(): Promise<Record<string, number>> {
  const rig = await openIssuerRig();
  const found: Record<string, number> = {};
  try {
    for (const [name, wishes] of [
      ['fmcos', ENABLE],
      ['secureChannel', DELETE],
    ] as const) {
      found[name] = await cappedRun(rig, [...wishes]);
      console.log(`HSM capped at ${CAP} calls/s, ${name}: ${found[name]} cards an hour`);
    }
  } finally {
    await rig.close();
  }
  return found;
}

async function cappedRun(rig: IssuerRig, wishes: Wish[]): Promise<number> {
  const context = { ...rig.context, vault: cappedVault(rig.context.vault) };
  const begun = performance.now();
  const until = begun + 10_000;
  let cards = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (performance.now() < until) {
        const opening = wishes[0]?.action === 'enable' ? 'e-wallet' : undefined;
        await issue(rig.newCard().card, context, randomDigits(16), wishes, opening);
        cards += 1;
      }
    }),
  );
  return Math.round((cards * 3_600_000) / (performance.now() - begun));
}

/** Each call waits for its turn; turns come evenly. */
function cappedVault(vault: Vault): Vault {
  const apart = 1000 / CAP;
  let next = 0;
  const inTurn = async <T>(call: () => Promise<T>): Promise<T> => {
    const mine = Math.max(next, performance.now());
    next = mine + apart;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, mine - performance.now())));
    return call();
  };
  return {
    ...vault,
    fmcosCryptogram: (...given) => inTurn(() => vault.fmcosCryptogram(...given)),
    fmcosMac: (...given) => inTurn(() => vault.fmcosMac(...given)),
    fmcosKeyWrite: (...given) => inTurn(() => vault.fmcosKeyWrite(...given)),
    channelSessionKeys: (...given) => inTurn(() => vault.channelSessionKeys(...given)),
    seal: (...given) => inTurn(() => vault.seal(...given)),
    unseal: (...given) => inTurn(() => vault.unseal(...given)),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
