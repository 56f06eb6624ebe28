/** What is always in sight: the product's name, the server's health, the settings, who is signed in. */
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import { Brand } from '../components/Brand.tsx';
import { Button } from '../components/Button.tsx';
import { forgetChoices } from '../features/counter/choices.ts';
import { bridge, useView, useWords } from '../state/stores.ts';
import menu from './Menu.module.css';
import { ServerStatus } from './ServerStatus.tsx';
import { SettingsMenu } from './SettingsMenu.tsx';
import css from './TopBar.module.css';

export function TopBar() {
  return (
    <header className={css['bar']}>
      <Brand />
      <div className={css['tools']}>
        <ServerStatus />
        <SettingsMenu />
        <UserMenu />
      </div>
    </header>
  );
}

function signOut(): void {
  forgetChoices();
  void bridge.session.signOut({});
}

function UserMenu() {
  const { t } = useWords();
  const operator = useView((view) => view.station.operator);
  if (operator === null) return null;
  return (
    <DialogTrigger>
      <Button tone="quiet" icon="user" aria-label={t('session.menu', { name: operator.name })}>
        {operator.name}
      </Button>
      <Popover placement="bottom end" offset={8} className={menu['popover'] ?? ''}>
        <Dialog aria-label={t('session.user')} className={menu['menu'] ?? ''}>
          <div>
            <p className={menu['hint']}>{t('session.user')}</p>
            <p className={menu['user']}>{operator.name}</p>
          </div>
          <Button icon="sign-out" onPress={signOut}>
            {t('session.out')}
          </Button>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
