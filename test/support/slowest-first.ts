/** In which order a run takes its test files. */
import { existsSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The slowest, the longest first, so that none of them is left to run alone at the end: vitest knows how long a file takes only where it ran
 * before, which a fresh copy has not seen. The end of `npm test` tells when the list is out of date.
 */
const SLOWEST = [
  'test/demo/headless.test.ts',
  'test/keyserver/api/sigkill.test.ts',
  'test/faults/killed-station.test.ts',
  'test/keyserver/jobs/sigkill.test.ts',
  'test/faults/interruptions.test.ts',
  'test/demo/data.test.ts',
  'test/keyserver/api/canary-memory.test.ts',
  'test/keyserver/operations/keys.test.ts',
  'test/scripts/set-up.test.ts',
  'test/station/jobs/kill.test.ts',
  'test/keyserver/api/killed.test.ts',
  'test/e2e/scenes.test.ts',
  'test/e2e/faults.test.ts',
  'test/e2e/interruptions.test.ts',
  'test/e2e/issuing.test.ts',
];

export class SlowestFirst extends BaseSequencer {
  /** @throws Error when the list names a file that is not there */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const paths = SLOWEST.map((file) => `${root}/${file}`);
    const gone = paths.find((path) => !existsSync(path));
    if (gone !== undefined)
      throw new Error(`${gone} is in the list of the slowest test files, and not there`);
    // Projects come one after the other, and each keeps its place.
    const byProject = new Map<string, TestSpecification[]>();
    for (const file of await super.sort(files))
      byProject.set(file.project.name, [...(byProject.get(file.project.name) ?? []), file]);
    const place = ({ moduleId }: TestSpecification) => {
      const at = paths.indexOf(moduleId);
      return at < 0 ? paths.length : at;
    };
    return [...byProject.values()].flatMap((list) => list.sort((a, b) => place(a) - place(b)));
  }
}
