/** Puts the features together, and says which is on: starting, signing in, or the counter. Work in hand stays in sight even when nobody is signed in. */
import { I18nProvider } from 'react-aria-components';
import type { StationView } from '../electron/ipc-schema.ts';
import { Counter } from './features/counter/Counter.tsx';
import { Entrance } from './features/entrance/Entrance.tsx';
import { SignInForm } from './features/entrance/SignInForm.tsx';
import { StartPanel } from './features/entrance/StartPanel.tsx';
import { HistorySheet } from './features/history/HistorySheet.tsx';
import { Fallback } from './shell/Fallback.tsx';
import { Halt } from './shell/Halt.tsx';
import { SettingsMenu } from './shell/SettingsMenu.tsx';
import { TopBar } from './shell/TopBar.tsx';
import { inHand } from './state/jobs.ts';
import { station, useStation, useView } from './state/stores.ts';

export function App() {
  const language = useStation((state) => state.view?.settings.language);
  const fault = useStation((state) => state.fault);
  if (language === undefined) {
    return fault === null ? null : <Halt fault={fault} onAgain={() => station.ask()} />;
  }
  return (
    <I18nProvider locale={language}>
      <Fallback>
        <Screen />
      </Fallback>
    </I18nProvider>
  );
}

function Screen() {
  const screen = useView(({ station }) => screenOf(station));
  switch (screen) {
    case 'start':
      return (
        <Entrance tools={<SettingsMenu />}>
          <StartPanel />
        </Entrance>
      );
    case 'sign-in':
      return (
        <Entrance tools={<SettingsMenu />}>
          <SignInForm />
        </Entrance>
      );
    case 'counter':
      return (
        <Counter
          bar={<TopBar />}
          signIn={<SignInForm inline />}
          historyOf={(number, onClose) => <HistorySheet number={number} onClose={onClose} />}
        />
      );
  }
}

function screenOf({ engine, operator, jobs, readers }: StationView): 'start' | 'sign-in' | 'counter' {
  if (engine.kind === 'starting' || engine.kind === 'failed') return 'start';
  // While a job runs, or a reader still shows how one ended, the counter stays although nobody is signed in. Its own sign-in form
  // stays with it: another screen would throw away what somebody is typing.
  const atWork = jobs.some(inHand) || readers.some(({ state }) => state.kind === 'job');
  return operator === null && !atWork ? 'sign-in' : 'counter';
}
