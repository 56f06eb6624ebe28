/** sudo -n: runs it, or says that it needs a password. */
import { spawnSync } from 'node:child_process';
import { args, end, takeMode } from './state.mjs';

if (takeMode() === 'asks') end(1, 'sudo: a password is required');
const words = args.filter((word) => word !== '-n');
if (words[0] === 'true') process.exit(0);
const command = words.filter((word) => word !== 'env' && !/^[A-Z_]+=/.test(word));
process.exit(spawnSync(command[0], command.slice(1), { stdio: 'inherit' }).status ?? 1);
