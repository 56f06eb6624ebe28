/** `npm run server -- <command>`: the key server by hand. What a command is made of is loaded when no signal opens an inspector any more. */
import { refuseInspector } from './no-inspector.ts';

refuseInspector();
const { runCommand } = await import('./cli/program.ts');
process.exitCode = await runCommand(process.argv.slice(2), (text) => process.stderr.write(text));
