/** Which Java Card a package needs, told by the version of the framework that it imports. */
import type { PackageReference } from './cap-components.ts';

/** `javacard.framework` and, for packages that do without it, `java.lang`'s neighbour `javacard.security`. */
const FRAMEWORK = 'A0000000620101';
const SECURITY = 'A0000000620102';

/** Java Card by minor version of the package (major 1), as the export files of each release have it. */
const BY_FRAMEWORK: Readonly<Record<number, string>> = {
  0: '2.1.1',
  1: '2.1.2',
  2: '2.2.1',
  3: '2.2.2',
  4: '3.0.1',
  5: '3.0.4',
  6: '3.0.5',
  8: '3.1',
  9: '3.2',
};
const BY_SECURITY: Readonly<Record<number, string>> = {
  1: '2.1.1',
  2: '2.2.1',
  3: '2.2.2',
  4: '3.0.1',
  5: '3.0.4',
  6: '3.0.5',
  7: '3.1',
  8: '3.1',
};

/** Least version of Java Card, e.g. "2.2.2"; undefined when the imports do not tell or are newer than we know. */
export function javaCardVersion(imports: readonly PackageReference[]): string | undefined {
  for (const [aid, versions] of [
    [FRAMEWORK, BY_FRAMEWORK],
    [SECURITY, BY_SECURITY],
  ] as const) {
    const found = imports.find((one) => one.aid === aid);
    if (found !== undefined) return found.version.major === 1 ? versions[found.version.minor] : undefined;
  }
  return undefined;
}
