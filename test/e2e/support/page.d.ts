/**
 * As much of a page as the stories' own functions touch inside it. The whole of TypeScript's DOM library would contradict
 * Node's in the files around.
 */
import type { Bridge } from '../../../electron/ipc-schema/bridge.ts';

interface PageElement {
  readonly lang: string;
  readonly innerText: string;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly dataset: Readonly<Record<string, string | undefined>>;
  getAttribute(name: string): string | null;
}

declare global {
  const document: {
    readonly documentElement: PageElement;
    readonly body: PageElement;
    readonly activeElement: PageElement | null;
    getElementById(id: string): PageElement | null;
    querySelector(selector: string): PageElement | null;
    querySelectorAll(selector: string): Iterable<PageElement>;
  };
  /** Of the mock's page. */
  const scenes: { clear(): Promise<void>; show(name: string): Promise<void> };
  const window: {
    readonly kaika: Bridge;
    close(): void;
  };
}
