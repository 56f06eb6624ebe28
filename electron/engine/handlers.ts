/** The engine's calls, answered by a station that is open. */
import { KaikaError } from '../../app/protocol/errors.ts';
import type { Engine } from '../../app/station/engine.ts';
import type { Station } from '../../app/station/open-station.ts';
import type { CardLook } from '../../app/station/readers/look.ts';
import type { Handlers } from '../ipc-schema/calls.ts';
import { projections } from './projections.ts';

export function engineHandlers({ engine, catalogue }: Station): Handlers<'engine'> {
  return {
    session: {
      signIn: ({ operator, secret, newSecret }) => engine.signIn(operator, secret, newSecret),
      signOut: () => {
        engine.signOut();
        return null;
      },
      confirm: async ({ operator, secret, reader, card, app }) => {
        if (lookIn(engine, reader).identification !== card) throw new KaikaError('other-card');
        return engine.confirm({ operator, secret }, { reader, app });
      },
    },
    server: {
      check: () => engine.checkServer(),
    },
    card: {
      relook: ({ reader }) => {
        engine.relook(reader);
        return null;
      },
      history: async ({ card }) => projections.history(await engine.card(card)),
    },
    job: {
      preview: ({ reader, wishes }) => projections.plan(lookIn(engine, reader), catalogue, wishes),
      start: async ({ reader, card, account, wishes }) => {
        if (lookIn(engine, reader).identification !== card) throw new KaikaError('other-card');
        return engine.startJob(reader, {
          account,
          wishes: wishes.map(({ app, action, confirmedBy }) =>
            confirmedBy === undefined ? { app, action } : { app, action, confirmedBy },
          ),
        });
      },
      abandon: ({ job }) => {
        engine.abandon(job);
        return null;
      },
    },
  };
}

/** @throws KaikaError no-reader, no-card */
function lookIn(engine: Engine, name: string): CardLook {
  const reader = engine.snapshot().readers.find((one) => one.name === name);
  if (reader === undefined) throw new KaikaError('no-reader');
  const { state } = reader;
  const look = state.kind === 'card' || state.kind === 'job' ? state.look : null;
  if (look === null) throw new KaikaError('no-card');
  return look;
}
