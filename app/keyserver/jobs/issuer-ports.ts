/** Joins the pure issuer to vault, packages, randomness and clock, for one card of one type. */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { IssuerPorts } from '../issuer/ports.ts';
import type { AbsorbRules } from '../issuer/progress.ts';
import { transportKeys } from '../issuer/start.ts';
import type { JobContext } from './context.ts';
import { type CardOfJob, domainKeyPort } from './domain-key-port.ts';

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
      cryptogram: (key, challenge) => vault.ask('fmcosCryptogram', { key, challenge }),
      mac: (key, challenge, message) => vault.ask('fmcosMac', { key, challenge, message }),
      keyWrite: (request) => vault.ask('fmcosKeyWrite', request),
    },
    domainKeys: domainKeyPort(vault, profile, card),
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

function yyyymmdd(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}
