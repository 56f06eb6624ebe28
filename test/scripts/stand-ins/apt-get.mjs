/** apt-get update and install, or one of apt's own ways to fail. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { args, end, file, installed, print, setInstalled, takeMode } from './state.mjs';

const names = args
  .filter((word, at) => /^[a-z0-9][a-z0-9+.-]+$/.test(word) && args[at - 1] !== '-o')
  .slice(1);

if (args.includes('update')) {
  writeFileSync(file('lists'), '');
} else if (args.includes('--print-uris')) {
  if (existsSync(file('no-lists')) && !existsSync(file('lists')))
    end(100, 'E: Unable to locate package softhsm2');
  for (const name of names) print(`'http://mirror/${name}.deb' ${name}_1_all.deb 500000 SHA256:00`);
} else {
  const mode = takeMode();
  switch (mode) {
    case 'interrupted': {
      const repaired = readFileSync(file('calls'), 'utf8').includes('dpkg --configure -a');
      if (!repaired)
        end(
          100,
          "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
        );
      setInstalled([...installed(), ...names]);
      break;
    }
    case 'locked':
      end(100, 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt)');
      break;
    case 'no network':
      end(100, "W: Temporary failure resolving 'mirror'", 'E: Failed to fetch http://mirror/x.deb');
      break;
    case 'hangs until asked':
      appendFileSync(file('pids'), `${process.pid}\n`);
      process.on('SIGINT', () => {
        // dpkg is at work: it is finished first.
        setTimeout(() => {
          writeFileSync(file('dpkg-finished'), '');
          process.exit(100);
        }, 400);
      });
      setInterval(() => {}, 1000);
      break;
    default:
      setInstalled([...installed(), ...names]);
  }
}
