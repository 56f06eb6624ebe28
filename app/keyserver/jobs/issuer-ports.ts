/** Joins the pure issuer to vault, packages, randomness and clock, for one card of one type. */
import { fromHex } from '../../card/bytes.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { IssuerPorts } from '../issuer/ports.ts';
import type { AbsorbRules } from '../issuer/progress.ts';
import { factorOf, transportKeys } from '../issuer/start.ts';
import type { ChannelKeyRefs } from '../vault/port.ts';
import type { JobContext } from './context.ts';

interface CardOfJob {
  readonly identification: string;
  readonly account: string;
}

const YEARS_VALID = 10;

export function issuerPorts(context: JobContext, profile: CardTypeProfile, card: CardOfJob): IssuerPorts {
  const { vault, catalogue } = context;
  return {
    profile,
    app: (id) => {
      const found = catalogue.apps.find((app) => app.id === id);
      if (found === undefined) throw new KaikaError('app-not-in-catalogue', `no app ${id}`, { app: id });
      return found;
    },
    package: context.package,
    fmcosKeys: {
      cryptogram: (key, challenge) => vault.fmcosCryptogram(key, challenge),
      mac: (key, challenge, message) => vault.fmcosMac(key, challenge, message),
      keyWrite: (request) => vault.fmcosKeyWrite(request),
    },
    channelKeys: {
      sessionKeys: (channel) => vault.channelSessionKeys(channelKeyRefs(profile, card), channel),
    },
    random: context.random,
    dates: () => {
      const today = context.now();
      const until = new Date(today);
      until.setUTCFullYear(today.getUTCFullYear() + YEARS_VALID);
      return { enabledOn: yyyymmdd(today), validUntil: yyyymmdd(until) };
    },
  };
}

export function absorbRules(profile: CardTypeProfile, card: CardOfJob): AbsorbRules {
  const rule = (app: string) => {
    const found = profile.apps[app];
    if (found === undefined) throw new Error(`profile ${profile.id} has no app ${app}`);
    return found;
  };
  return {
    maximumTries: (app) => rule(app).mck.counter >> 4,
    transportKeys: (app) => transportKeys(rule(app), card.identification, card.account),
  };
}

function channelKeyRefs(profile: CardTypeProfile, card: CardOfJob): ChannelKeyRefs {
  const domain = profile.securityDomain;
  if (domain === undefined) throw new Error(`profile ${profile.id} has no security domain`);
  const factor = fromHex(
    factorOf(
      domain.factoryKeys.diversification.kind === 'pboc' &&
        domain.factoryKeys.diversification.factor === 'account'
        ? card.account
        : card.identification,
    ),
  );
  const ref = (key: 'enc' | 'mac' | 'dek') => ({
    master: {
      purpose: `isd/${profile.id}/${key}`,
      origin: 'factory' as const,
      version: domain.factoryKeys.version,
    },
    diversification: { kind: 'pboc' as const, factor },
  });
  return { enc: ref('enc'), mac: ref('mac'), dek: ref('dek') };
}

function yyyymmdd(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}
