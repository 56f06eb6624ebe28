/** Whether the server is there, and since when it is not. */
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import { Button } from '../components/Button.tsx';
import { FaultNotice } from '../components/Notice.tsx';
import { Icon } from '../icons/Icon.tsx';
import { useView, useWords } from '../state/stores.ts';
import { useServerCheck } from '../state/use-server-check.ts';
import { moment } from '../texts/formats.ts';
import menu from './Menu.module.css';
import css from './ServerStatus.module.css';

export function ServerStatus() {
  const { t } = useWords();
  const server = useView((view) => view.station.server);
  const { asking, ask } = useServerCheck();
  if (server.state !== 'away' && server.clockAheadMs === undefined) {
    return (
      <span className={`${css['status']} ${css[server.state]}`} role="status">
        <span className={css['dot']} />
        {t(`server.${server.state}`)}
      </span>
    );
  }
  const seen =
    server.lastSeen === undefined
      ? t('server.never')
      : t('server.seen', { time: moment(server.lastSeen, t, Date.now()) });
  const code = server.state === 'away' ? (server.code ?? 'server-away') : 'wrong-clock';
  return (
    <DialogTrigger>
      <Button tone="quiet">
        <span className={`${css['status']} ${css['away']}`}>
          <Icon name="alert" size={18} />
          {t(server.state === 'away' ? 'server.away' : 'server.clock')}
          {server.state === 'away' ? <span className={css['seen']}>{seen}</span> : null}
          <Icon name="chevron-down" size={16} />
        </span>
      </Button>
      <Popover placement="bottom end" offset={8} className={menu['popover'] ?? ''}>
        <Dialog aria-label={t('checks.server')} className={menu['menu'] ?? ''}>
          <FaultNotice fault={{ code, details: {} }} tone="caution" withCard={false} />
          <Button icon="refresh" isPending={asking} onPress={ask}>
            {t('checks.retry')}
          </Button>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
