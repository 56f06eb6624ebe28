/** `npm run server -- <command>`: the key server by hand. */
import { parseArgs } from 'node:util';
import { KaikaError } from '../protocol/errors.ts';
import { addOperator, addStation } from './cli/enrol.ts';
import { initialise } from './cli/init.ts';
import { backUp, release, restore } from './cli/keeping.ts';
import { keys } from './cli/keys.ts';
import { runServer } from './cli/run.ts';
import { printStatus } from './cli/status.ts';
import { ConfigError, readConfig } from './config.ts';

const USAGE = `Usage: npm run server -- <command> --config FILE

  init                                      write a first configuration, or try what the file names, and make the store
  serve                                     run the key server
  status                                    token, keys and store in a few lines
  operator --id ID --name NAME              add an operator, or give them a new secret (read from standard input)
  station --name NAME --certificate FILE    enrol a station by its client certificate (PEM)
  backup --to FILE                          write the store to a file, while servers run
  restore --from FILE                       put a backup into a new, empty store
  release --card ID --operator ID --reason TEXT
                                            let a card be worked on again that was set aside, or whose tries are few
  keys list                                 versions of the master keys: algorithm, check value, state
  keys make --key KEY --operator ID --reason TEXT
                                            make a key's next version inside the token (KEY: app/APP, app/APP/mck, isd/TYPE)
  keys activate --key KEY --version N --operator ID --reason TEXT
                                            new writes use this version; cards on others are moved when they come
  keys rollback --key KEY --operator ID --reason TEXT
                                            activate again what was active before
  keys retire --key KEY --version N --operator ID --reason TEXT
                                            give up a version that no card has
  keys report [--key KEY [--version N [--after CARD] [--limit N]]]
                                            how many cards are on each version, or which
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      id: { type: 'string' },
      name: { type: 'string' },
      certificate: { type: 'string' },
      to: { type: 'string' },
      from: { type: 'string' },
      card: { type: 'string' },
      operator: { type: 'string' },
      reason: { type: 'string' },
      key: { type: 'string' },
      version: { type: 'string' },
      after: { type: 'string' },
      limit: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const command = positionals[0];
  if (values.help === true || command === undefined || values.config === undefined) {
    process.stderr.write(USAGE);
    return values.help === true ? 0 : 2;
  }
  if (command === 'init') return initialise(values.config);
  const config = readConfig(values.config);
  switch (command) {
    case 'serve':
      return runServer(config);
    case 'status':
      return printStatus(config);
    case 'operator':
      return addOperator(config, values.id, values.name);
    case 'station':
      return addStation(config, values.name, values.certificate);
    case 'backup':
      return backUp(config, values.to);
    case 'restore':
      return restore(config, values.from);
    case 'release':
      return release(config, values.card, values.operator, values.reason);
    case 'keys':
      return keys(config, positionals[1], values);
    default:
      process.stderr.write(`There is no command "${command}".\n\n${USAGE}`);
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof ConfigError || error instanceof KaikaError || error instanceof TypeError;
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${known ? reason : `The key server could not do it: ${reason}`}\n`);
  process.exitCode = 1;
}
