/** dpkg-query --status for what the test says is installed. */
import { args, installed, print } from './state.mjs';

for (const name of args.slice(1)) {
  if (installed().includes(name)) {
    print(`Package: ${name}\nEssential: no\nStatus: install ok installed\nDescription: some\n`);
  } else {
    process.stderr.write(`dpkg-query: package '${name}' is not installed and no information is available\n`);
    process.exitCode = 1;
  }
}
