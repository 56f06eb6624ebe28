/** What is shown when a screen itself breaks: never an empty window. The work belongs to the engine and goes on. */
import { Component, type ReactNode } from 'react';
import { Halt } from './Halt.tsx';

interface State {
  readonly broken: boolean;
}

export class Fallback extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { broken: false };

  static getDerivedStateFromError(): State {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <Halt fault={{ code: 'internal', details: {} }} onAgain={() => this.setState({ broken: false })} />
    );
  }
}
