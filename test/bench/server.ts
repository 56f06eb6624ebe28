/**
 * How many cards a key server takes: one server process, SQLite and PostgreSQL, simulated stations over mutual TLS with virtual cards that
 * answer at once. Stations, cards and database share the machine with the server. HSM calls are calls to the vault; SoftHSM is behind it.
 * Then: how long a station waits when one of two instances is killed.
 */

import { fromHex } from '../../app/card/bytes.ts';
import { factorFor } from '../../app/dialects/keys.ts';
import { type Vault, vaultWith } from '../../app/keyserver/vault/vault.ts';
import type { Wish } from '../../app/protocol/wire.ts';
import { issue } from '../support/forwarder.ts';
import { type IssuerRig, openIssuerRig, randomDigits } from '../support/issuer-rig.ts';
import { NO_POSTGRESQL } from '../support/postgresql.ts';
import {
  issueOver,
  openServerSite,
  type ServerInstance,
  type SimulatedStation,
  type Site,
} from '../support/site.ts';
import type { StoreKind } from '../support/stores.ts';

const STATIONS = [1, 8, 64];
const SECONDS = 6;
const KILLS = 6;
const KILL_STATIONS = 8;
const CAP = 60;
const WRITES = [
  ['mtk', 0x36, 0xf6, 0xff],
  ['mck', 0x39, 0xf9, 0xaa],
] as const;
const ENABLE: Wish[] = [{ app: 'e-wallet', action: 'enable' }];
/** What a card gets while the HSM is capped: FMCOS alone, a secure channel alone, and the patent's whole way. */
const CAPPED: readonly (readonly [string, Wish[]])[] = [
  ['fmcos', ENABLE],
  ['secureChannel', [{ app: 'transit', action: 'delete' }]],
  ['loadAndEnable', [{ app: 'campus-meal', action: 'enable' }]],
];

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
  figures['instanceKilled'] = await killed();
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
        worst = Math.max(worst, ...(await issueOne(site, station)));
        cards += 1;
      } while (performance.now() < until);
    }),
  );
  return { cards, worst, seconds: (performance.now() - begun) / 1000 };
}

/** Milliseconds that each request of one card took, asked again until it was taken. */
async function issueOne(site: Site, station: SimulatedStation): Promise<readonly number[]> {
  const { outcome, requestMs } = await issueOver(site, station, ENABLE, 'e-wallet');
  if (outcome.result !== 'complete') throw new Error(`a card was not issued: ${outcome.error}`);
  return requestMs;
}

/** Two instances under load, of which one is killed and started again, several times: how long requests took around each kill. */
async function killed(): Promise<Record<string, unknown>> {
  const kind = NO_POSTGRESQL === undefined ? 'postgresql' : 'sqlite';
  const site = await openServerSite(kind);
  try {
    const instances: ServerInstance[] = [await site.start(), await site.start()];
    const ports = instances.map(({ port }) => port);
    const stations = await Promise.all(
      Array.from({ length: KILL_STATIONS }, (_, at) =>
        site.station(`station-${at}`, at % 2 === 0 ? ports : [...ports].reverse()),
      ),
    );
    const pauses: number[] = [];
    let cards = 0;
    let over = false;
    let away = false;
    const load = stations.map(async (station) => {
      while (!over) {
        // Every request that was under way at a kill, or came while one instance was away.
        const from = away;
        const taken = await issueOne(site, station);
        if (from || away) pauses.push(...taken);
        cards += 1;
      }
    });
    const fire = async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await pause(1_000 + Math.random() * 1_000);
        const at = kill % 2;
        away = true;
        await instances[at]?.kill();
        await pause(1_500);
        away = false;
        instances[at] = await site.start(ports[at]);
      }
    };
    await fire().finally(() => {
      over = true;
    });
    await Promise.all(load);
    const sorted = pauses.sort((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
    const found = {
      store: kind,
      kills: KILLS,
      cards,
      requests: sorted.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      worstMs: at(1),
    };
    console.log(
      `one of two instances killed ${KILLS} times (${kind}, ${KILL_STATIONS} stations): all ${cards} cards issued; of ${sorted.length} requests ` +
        `while one was away p50 ${found.p50Ms} ms, p99 ${found.p99Ms} ms, worst ${found.worstMs} ms`,
    );
    return found;
  } finally {
    await site.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Calls that the vault process serves in a second when it has nothing to wait for, in the mix of an issuing. */
async function vaultCeiling(): Promise<number> {
  const rig = await openIssuerRig();
  try {
    const { vault } = rig.context;
    const card = { identification: '0000000000000001', account: '6222021234567890' };
    const key = (slot: string) => ({
      master: { purpose: `app/e-wallet/${slot}`, origin: 'issuer' as const, version: 1 },
      factor: fromHex(factorFor('card', card)),
    });
    const challenge = new Uint8Array(4);
    const reply = new Uint8Array(900);
    // UPDATE BINARY of 8 bytes, with room for the MAC.
    const update = Uint8Array.of(0x04, 0xd6, 0x95, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8);
    let calls = 0;
    const until = performance.now() + 3_000;
    const lane = async () => {
      while (performance.now() < until) {
        await vault.ask('fmcosCryptogram', { card, key: key('mck'), challenge });
        await vault.ask('fmcosMac', { card, key: key('mtk'), challenge, message: update });
        for (const [slot, p1, typeInside, nextState] of WRITES) {
          await vault.ask('fmcosKeyWrite', {
            card,
            under: key('mck'),
            newKey: key(slot),
            p1,
            keyId: 0,
            header: { typeInside, useRight: 0xf0, changeRight: 0xaa, nextState, counter: 0x33 },
            challenge,
          });
        }
        for (const count of [0, 1, 2, 3]) await vault.seal({ clear: reply, context: `bench:${count}` });
        calls += 8;
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    return calls / 3;
  } finally {
    await rig.close();
  }
}

/** Cards an hour when the HSM takes no more than so many calls a second, without a network in between; and the calls that a card takes. */
async function capped(): Promise<Record<string, unknown>> {
  const rig = await openIssuerRig();
  const found: Record<string, unknown> = {};
  try {
    for (const [name, wishes] of CAPPED) {
      const { perHour, calls } = await cappedRun(rig, [...wishes]);
      found[name] = { cardsPerHour: perHour, hsmCallsPerCard: calls };
      console.log(
        `HSM capped at ${CAP} calls/s, ${name}: ${perHour} cards an hour, ${calls} HSM calls a card`,
      );
    }
  } finally {
    await rig.close();
  }
  return found;
}

async function cappedRun(rig: IssuerRig, wishes: Wish[]): Promise<{ perHour: number; calls: number }> {
  const count = { calls: 0 };
  const context = { ...rig.context, vault: cappedVault(rig.context.vault, count) };
  const begun = performance.now();
  const until = begun + 10_000;
  let cards = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (performance.now() < until) {
        const opening = wishes[0]?.app === 'e-wallet' ? 'e-wallet' : undefined;
        const { card } = rig.newCard();
        const outcome = await issue(card, context, randomDigits(16), wishes, opening);
        if (outcome.result !== 'complete') throw new Error(`a card was not issued: ${outcome.error}`);
        cards += 1;
      }
    }),
  );
  return {
    perHour: Math.round((cards * 3_600_000) / (performance.now() - begun)),
    calls: round(count.calls / cards),
  };
}

/** Each call waits for its turn; turns come evenly. */
function cappedVault(vault: Vault, count: { calls: number }): Vault {
  const apart = 1000 / CAP;
  let next = 0;
  const inTurn = async <T>(_operation: string, call: () => Promise<T>): Promise<T> => {
    count.calls += 1;
    const mine = Math.max(next, performance.now());
    next = mine + apart;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, mine - performance.now())));
    return call();
  };
  return vaultWith(vault, inTurn);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
