/** Joins the pure issuer to vault, packages, randomness and clock, for one card of one type. */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import type { CardCodes } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { IssuerPorts } from '../issuer/ports.ts';
import type { JobContext } from './context.ts';
import { domainKeyPort } from './domain-key-port.ts';

const YEARS_VALID = 10;

export function issuerPorts(context: JobContext, profile: CardTypeProfile, card: CardCodes): IssuerPorts {
  const { vault, catalogue } = context;
  const statedCard = { identification: card.identification, account: card.account };
  return {
    profile,
    app: (id) => {
      const found = catalogue.apps.find((app) => app.id === id);
      if (found === undefined) throw new KaikaError('app-not-in-catalogue', `no app ${id}`, { app: id });
      return found;
    },
    package: context.package,
    // Which card the keys are of is said here, once for every operation of the job.
    ask: (operation, request) => vault.ask(operation, { ...request, card: statedCard }),
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

function yyyymmdd(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}
