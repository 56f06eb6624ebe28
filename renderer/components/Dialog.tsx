/** A dialog in the middle, or a sheet at the side. React Aria closes it on Escape and puts the focus back to where it was. */
import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useWords } from '../state/stores.ts';
import css from './Dialog.module.css';
import { IconButton } from './IconButton.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly place?: 'middle' | 'side';
  /** Asks before something that cannot be taken back: a click beside it does not close it. */
  readonly asks?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, place = 'middle', asks = false, children }: DialogProps) {
  const { t } = useWords();
  return (
    <ModalOverlay
      isOpen
      isDismissable={!asks}
      onOpenChange={(open) => (open ? undefined : onClose())}
      className={`${css['veil']} ${css[place]}`}
    >
      <Modal className={css['modal'] ?? ''}>
        <AriaDialog role={asks ? 'alertdialog' : 'dialog'} className={css['dialog'] ?? ''}>
          <header className={css['head']}>
            <Heading slot="title" className={css['title'] ?? ''}>
              {title}
            </Heading>
            {asks ? null : <IconButton icon="cross" label={t('common.close')} onPress={onClose} />}
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
