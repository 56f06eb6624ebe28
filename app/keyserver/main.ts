/** `npm run server -- <command>`: the key server by hand. */
import { runCommand } from './cli/program.ts';

process.exitCode = await runCommand(process.argv.slice(2), (text) => process.stderr.write(text));
