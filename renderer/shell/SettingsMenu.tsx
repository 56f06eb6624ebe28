/** Language, appearance and sound: changed at once, kept for this station. */
import { Dialog, DialogTrigger, Popover, Switch } from 'react-aria-components';
import { THEMES } from '../../electron/ipc-schema/words.ts';
import { Button } from '../components/Button.tsx';
import { Choices } from '../components/Choices.tsx';
import type { IconName } from '../icons/shapes.ts';
import { station, useView, useWords } from '../state/stores.ts';
import { LANGUAGES } from '../texts/languages.ts';
import { textsOf } from '../texts/texts.ts';
import css from './Menu.module.css';

const THEME_ICONS: Readonly<Record<(typeof THEMES)[number], IconName>> = {
  system: 'auto',
  light: 'sun',
  dark: 'moon',
};

export function SettingsMenu() {
  const { t } = useWords();
  const settings = useView((view) => view.settings);
  return (
    <DialogTrigger>
      <Button tone="quiet" icon="settings">
        {t('settings.open')}
      </Button>
      <Popover placement="bottom end" offset={8} className={css['popover'] ?? ''}>
        <Dialog aria-label={t('settings.open')} className={css['menu'] ?? ''}>
          <Choices
            label={t('settings.language')}
            value={settings.language}
            onChange={(language) => station.changeSettings({ language })}
            // Each in its own language, for whoever cannot read the one that is on.
            options={LANGUAGES.map((id) => ({ id, text: textsOf(id).t('language.name'), lang: id }))}
          />
          <Choices
            label={t('settings.theme')}
            value={settings.theme}
            onChange={(theme) => station.changeSettings({ theme })}
            options={THEMES.map((id) => ({ id, text: t(`settings.theme-${id}`), icon: THEME_ICONS[id] }))}
          />
          <Switch
            className={css['switch'] ?? ''}
            isSelected={settings.sound}
            onChange={(sound) => station.changeSettings({ sound })}
          >
            <span className={css['switch-words']}>
              <span>{t('settings.sound')}</span>
              <span className={css['hint']}>{t('settings.sound-hint')}</span>
            </span>
            <span className={css['knob']} />
          </Switch>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
