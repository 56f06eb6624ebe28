/** Before each file: its windows go to the screen of the worker that it runs in. */
import { SCREENS_VARIABLE, SIDE_BY_SIDE } from './screens.ts';

const screens = (process.env[SCREENS_VARIABLE] ?? '').split(' ');
const worker = Number(process.env['VITEST_POOL_ID'] ?? 1);
const own = screens[worker % SIDE_BY_SIDE];
// Elsewhere than on Linux windows come up on the one screen there is.
if (own !== undefined && own !== '') process.env['DISPLAY'] = own;
