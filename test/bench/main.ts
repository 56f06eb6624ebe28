/** `npm run bench -- NAME`: prints figures for people and, as its last line, the same as JSON. */
const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  attack: async () => (await import('./attack.ts')).run(),
  issuing: async () => (await import('./issuing.ts')).run(),
  load: async () => (await import('./load.ts')).run(),
  records: async () => (await import('./records.ts')).run(),
  server: async () => (await import('./server.ts')).run(),
  window: async () => (await import('./window.ts')).run(),
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`Say which: ${Object.keys(BENCHES).join(', ')}.`);
  process.exitCode = 2;
} else {
  console.log(JSON.stringify(await bench()));
}
