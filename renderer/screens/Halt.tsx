/** The rest of the station did not answer the window's first question. */
import type { FaultView } from '../../electron/ipc-schema.ts';
import { FaultNotice } from '../components/Notice.tsx';
import css from './Entrance.module.css';

export function Halt({ fault }: { readonly fault: FaultView }) {
  return (
    <main className={css['halt']}>
      <FaultNotice fault={fault} withCard={false} />
    </main>
  );
}
