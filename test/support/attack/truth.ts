/** What the record says of a card, held against the card: what is not so, is lost. */
import type { KeyCandidate } from '../../../app/dialects/key-slots.ts';
import { sameKey } from '../../../app/dialects/key-slots.ts';
import type { AppKeys } from '../../../app/dialects/keys.ts';
import { isIssued, lifeOf } from '../../../app/keyserver/issuer/card-life.ts';
import type { CardAppState } from '../../../app/keyserver/issuer/card-state.ts';
import { isInDoubt } from '../../../app/keyserver/records/shown.ts';
import { findCard, ownAccount } from '../../../app/keyserver/store/card-rows.ts';
import { readCardState } from '../../../app/keyserver/store/cards.ts';
import { listDeeds } from '../../../app/keyserver/store/deeds.ts';
import type { Deed } from '../../../app/protocol/card-record.ts';
import type { IssuerRig } from '../issuer-rig.ts';
import type { HonestCard, Loss } from './honest-station.ts';

/** By the card itself: tries of its keys, apps that honest jobs enabled. */
export function lostOnCard(one: HonestCard): Loss[] {
  const losses: Loss[] = [];
  const say = (kind: Loss['kind'], what: string) =>
    losses.push({ kind, what: `${one.identification}: ${what}` });
  // A card that was torn before it showed itself may cost one wrong try when it comes again: then the next visit gives it back.
  const spare = one.torn === null ? 0 : 1;
  for (const { app, role, most, left } of one.slots)
    if (left < most - spare) say('try', `${most - left} of the ${role} of ${app}`);
  for (const app of one.enabled) {
    const state = one.observed.find((seen) => seen.app === app)?.state;
    if (state !== 'enabled' && !isTornApp(one, app)) say('app', `${app} is ${state}`);
  }
  return losses;
}

/** What the record says, and what it has of keys, accounts, refusals and set-asides, that is not so. */
export async function falseSentences(rig: IssuerRig, one: HonestCard, honest: string): Promise<Loss[]> {
  const found: Loss[] = [];
  const say = (what: string, kind: Loss['kind'] = 'record') =>
    found.push({ kind, what: `${one.identification}: ${what}` });
  const { store, catalogue } = rig.context;
  const row = await findCard(store, one.identification);
  if (row === undefined) return found;
  const state = await readCardState(store, one.identification);
  const deeds = await listDeeds(store, one.identification);
  const profile = catalogue.profiles.find(({ id }) => id === row.card_type);
  if (row.set_aside !== null) say(`set aside, ${row.set_aside}`);
  const account = ownAccount(row);
  if (one.enabled.size > 0 ? account !== one.account : account !== null && account !== one.account)
    say(`the account is ${account} by the record`, 'account');
  if (one.torn === null && isIssued(lifeOf(state, profile, null)) !== one.enabled.size > 0)
    say(`${one.enabled.size} apps enabled, and the record says ${one.enabled.size > 0 ? 'new' : 'issued'}`);
  for (const [app, known] of Object.entries(state.apps)) {
    const there = one.observed.find((seen) => seen.app === app)?.state ?? 'missing';
    for (const what of falseOfApp(one, honest, { app, known, there, deed: deeds.get(app) })) say(what);
  }
  for (const app of one.enabled)
    if (state.apps[app] === undefined) say(`${app} is enabled, and the record does not know it`);
  return found;
}

interface OfApp {
  readonly app: string;
  readonly known: CardAppState;
  readonly there: string;
  readonly deed: Deed | undefined;
}

function falseOfApp(one: HonestCard, honest: string, of: OfApp): string[] {
  const { app, known, there, deed } = of;
  const found: string[] = [];
  const doubted = isInDoubt(known);
  const torn = isTornApp(one, app);
  // Of a job that was torn the card may have taken more than anybody was told.
  if (
    !torn &&
    known.state !== there &&
    (!doubted || (known.ground !== undefined && (known.state === 'missing') !== (there === 'missing')))
  )
    found.push(`${app} is ${there} on the card, ${known.state} on record (${known.ground?.by ?? 'claimed'})`);
  if (torn && !doubted && known.state === 'enabled' && there !== 'enabled')
    found.push(`${app} was torn, is ${there} on the card and enabled on record`);
  if (
    !torn &&
    there === 'enabled' &&
    one.enabled.has(app) &&
    deed?.station !== honest &&
    !(deed === undefined && one.onceTorn.has(app))
  )
    found.push(`${app} was enabled by ${honest}, and the record says ${deed?.station ?? 'nobody'}`);
  if (!doubted && deed !== undefined && deed.station !== honest)
    found.push(`${app} is said to be enabled by ${deed.station}`);
  return there === 'missing' ? found : [...found, ...falseOfKeys(one, app, known, doubted)];
}

function falseOfKeys(one: HonestCard, app: string, known: CardAppState, doubted: boolean): string[] {
  const found: string[] = [];
  const kept = known.kept?.keys;
  for (const { role, value } of one.slots.filter((slot) => slot.app === app)) {
    const possible = [...candidatesOf(known.keys, role), ...candidatesOf(kept ?? null, role)];
    const true_ = one.written.get(`${app}/${role}/${value}`);
    const isTrue = (key: KeyCandidate) =>
      true_ === undefined ? isTornApp(one, app) || key.origin === 'factory' : sameKey(key, true_);
    // Of an app that nobody of honest ones has worked on, nothing need be on record: it is then as it was delivered.
    const isUnknown = possible.length === 0 && true_ === undefined;
    if (!isUnknown && !possible.some(isTrue))
      found.push(`the ${role} of ${app} that the card has is none of those on record`);
    if (!doubted && !candidatesOf(known.keys, role).every(isTrue))
      found.push(`the record is sure of another ${role} of ${app} than the card has`);
    if ((kept ?? known.keys)?.[role]?.refused === true) found.push(`the ${role} of ${app} was never refused`);
  }
  return found;
}

/** Notes which keys the card has by now, behind a job that came to its end. */
export async function noteKeys(rig: IssuerRig, one: HonestCard): Promise<void> {
  const state = await readCardState(rig.context.store, one.identification);
  for (const app of one.enabled)
    for (const { role, value } of one.slots.filter((slot) => slot.app === app)) {
      const name = `${app}/${role}/${value}`;
      const [key, other] = candidatesOf(state.apps[app]?.keys ?? null, role);
      if (key !== undefined && other === undefined && !one.written.has(name)) one.written.set(name, key);
    }
}

const candidatesOf = (keys: AppKeys | null, role: string): readonly KeyCandidate[] =>
  keys?.[role]?.candidates ?? [];

const isTornApp = ({ torn }: HonestCard, app: string): boolean =>
  torn?.wishes.some((wish) => wish.app === app) === true;
