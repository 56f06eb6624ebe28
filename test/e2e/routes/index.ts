/** The screens as a person finds them, one file each: what stands on them by role and by name, and what is done there. */
import type { Locator, Page } from 'playwright';
import type { StoryStage } from '../support/stage.ts';
import { ChooseRoute } from './choose.ts';
import { EndRoute } from './end.ts';
import { EntranceRoute } from './entrance.ts';
import { JobRoute } from './job.ts';
import { PlanRoute } from './plan.ts';

export class Routes {
  /** The lane of the reader that the demo's card is in. */
  readonly lane: Locator;
  readonly entrance: EntranceRoute;
  readonly choose: ChooseRoute;
  readonly plan: PlanRoute;
  readonly job: JobRoute;
  readonly end: EndRoute;

  constructor({ page }: { readonly page: Page }, { people }: Pick<StoryStage, 'people'>) {
    this.lane = page.getByRole('region', { name: /^Reader\b/ }).first();
    this.entrance = new EntranceRoute(page, people.clerk);
    this.choose = new ChooseRoute(this.lane);
    this.plan = new PlanRoute(page, this.lane, people.supervisor);
    this.job = new JobRoute(page, this.lane);
    this.end = new EndRoute(this.lane);
  }

  /** Waits for a lane without a card. */
  async isEmpty(): Promise<void> {
    await this.lane.getByText('Put a card into the reader').locator('visible=true').last().waitFor();
  }
}
