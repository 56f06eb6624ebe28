/** The card itself: picture, standing, account, space, and the way to its history. */
import { useContext, useState } from 'react';
import type { CardView } from '../../../electron/ipc-schema.ts';
import { Button } from '../../components/Button.tsx';
import { CardArt } from '../../components/CardArt.tsx';
import { MemoryBar } from '../../components/MemoryBar.tsx';
import { bridge, useSeenCard, useView, useWords, type Words } from '../../state/stores.ts';
import { grouped } from '../../texts/formats.ts';
import css from './CardSide.module.css';
import { boundAccount, type Choice } from './choice.ts';
import { useChoice } from './choices.ts';
import { HistoryOf } from './history-of.ts';
import { memoryOf } from './rows.ts';

interface CardSideProps {
  readonly reader: string;
  /** As it is now; null while a job has it. */
  readonly card: CardView | null;
  readonly number: string | null;
  /** Whether standing, space and history are shown; not while a job changes them. */
  readonly facts: boolean;
}

export function CardSide({ reader, card, number, facts }: CardSideProps) {
  const words = useWords();
  const { t } = words;
  const seen = useSeenCard(number ?? '');
  const choice = useChoice(reader);
  const operator = useView((view) => view.station.operator);
  const [history, setHistory] = useState(false);
  const historyOf = useContext(HistoryOf);
  const type = (card?.number === number ? card?.type : undefined) ?? seen?.type;
  const known = number !== null;
  return (
    <div className={css['side']}>
      <CardArt
        title={known || card === null ? words.cardType(type) : t('card.foreign')}
        number={number}
        line={choice === undefined ? undefined : accountLine(choice, words)}
        faint={!known}
      />
      {facts && card !== null ? (
        <div className={css['facts']}>
          {known && operator !== null ? <Standing choice={choice} words={words} /> : null}
          <div className={css['space']}>
            <Space card={card} />
          </div>
          <div className={css['actions']}>
            {known && operator !== null ? (
              <Button tone="quiet" icon="history" onPress={() => setHistory(true)}>
                {t('card.history')}
              </Button>
            ) : null}
            <Button tone="quiet" icon="refresh" onPress={() => void bridge.card.relook({ reader })}>
              {t('card.again')}
            </Button>
          </div>
        </div>
      ) : null}
      {history && number !== null ? historyOf(number, () => setHistory(false)) : null}
    </div>
  );
}

function accountLine(choice: Choice, { t }: Words): string | undefined {
  const account = boundAccount(choice);
  return account === undefined ? undefined : `${t('card.account')} ${grouped(account)}`;
}

/** What the server says of the card. */
function Standing({ choice, words: { t } }: { readonly choice: Choice | undefined; readonly words: Words }) {
  const record = choice?.record ?? { kind: 'asking' };
  const [tone, text] = ((): readonly [string, string] => {
    switch (record.kind) {
      case 'asking':
        return ['quiet', t('card.asking')];
      case 'new':
        return ['accent', t('card.new')];
      case 'unconfirmed':
        return ['caution', t('card.unconfirmed')];
      case 'known':
        if (record.history.setAside !== null) return ['bad', t('card.aside')];
        return record.history.issued ? ['good', t('card.issued')] : ['quiet', t('card.known')];
    }
  })();
  return <p className={`${css['standing']} ${css[tone]}`}>{text}</p>;
}

function Space({ card }: { readonly card: CardView }) {
  const { t } = useWords();
  const catalogue = useView((view) => view.catalogue);
  const memory = memoryOf(card, catalogue);
  if (memory !== null) return <MemoryBar free={memory.free} whole={memory.whole} />;
  return (
    <p className={css['unknown']}>
      <span>{t('card.space')}</span> {t('card.space-unknown')}
    </p>
  );
}
