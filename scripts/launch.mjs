#!/usr/bin/env node
// @ts-check
/**
 * `node scripts/launch.mjs <command> [arguments]`: what every npm script calls. Sets up what is missing, then runs
 * the command with Node 24. Written so that an old Node can still read it and say so; all else is loaded after that.
 */
const OLDEST = 20;

if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  console.error(
    `Kaika needs Node ${OLDEST} or newer to set itself up, and this is Node ${process.versions.node}: ` +
      'install a newer one from nodejs.org or with your package manager, and run the command again.',
  );
  process.exitCode = 1;
} else {
  import('./bootstrap/commands.mjs')
    .then((commands) => commands.main(process.argv.slice(2)))
    .catch((error) => {
      console.error(`This copy of Kaika is not whole (${error.message}): fetch it again.`);
      process.exitCode = 1;
    });
}
