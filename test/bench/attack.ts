/**
 * What attackers from inside get: each plays at random, with a seed that the last line names, and what it took is counted from the cards, the keys
 * and the answers. `npm run bench -- attack --requests 10000`; everything that must be 0 is 0.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startVault } from '../../app/keyserver/vault/client.ts';
import { makeSoftToken } from '../keyserver/vault/soft-token.ts';
import { fillToken } from '../support/attack/attacked-token.ts';
import { playRogueStation } from '../support/attack/play-rogue-station.ts';
import { attackDoors } from '../support/attack/rogue-doors.ts';
import { attackStation } from '../support/attack/rogue-server.ts';
import { attackVault } from '../support/attack/rogue-server-to-vault.ts';
import { openIssuerRig } from '../support/issuer-rig.ts';

export async function run(): Promise<unknown> {
  const { requests, seed } = optionsOf(process.argv.slice(3));
  console.log(`seed ${seed}, ${requests} requests each`);
  const figures = {
    seed,
    station: await station(requests, seed),
    server: await attackStation(requests, Number.parseInt(seed.slice(0, 8), 16)),
    vault: await vault(requests),
    doors: await attackDoors('sqlite', { honest: 300, deepBodies: 20, signIns: 120, leases: 40 }),
  };
  const { server, doors } = figures;
  console.log(
    `a server that was taken over: ${server.replies} replies to a station with ${server.cards} cards, ${server.spoiled} of them spoiled`,
  );
  console.log(
    `the same with its vault: ${figures.vault.calls} calls, ${figures.vault.answered} carried out, ${figures.vault.keysOut} keys out`,
  );
  console.log(
    `at the doors: beyond their limits ${doors.burstSignIns} secrets and ${doors.burstLeases} cards, ${doors.endedCertificatesServed} requests served ` +
      `without a certificate that counts; beside deep bodies an honest request takes ${doors.deepBodiesP95Ratio} times as long (p95)`,
  );
  return figures;
}

async function station(requests: number, seed: string) {
  const rig = await openIssuerRig('sqlite');
  try {
    const { losses, ...figures } = await playRogueStation(rig, { requests, seed });
    for (const one of losses.slice(0, 20)) console.log(one);
    console.log(
      `a rogue station: ${figures.requests} requests beside ${figures.honestJobs} jobs of honest ones with ${figures.honestCards} cards, ` +
        `${losses.length} losses`,
    );
    return figures;
  } finally {
    await rig.close();
  }
}

async function vault(calls: number) {
  const token = await makeSoftToken();
  try {
    const masters = await fillToken(token.config);
    const attacked = await startVault(token.config);
    try {
      return await attackVault({ vault: attacked, masters }, calls);
    } finally {
      await attacked.close();
    }
  } finally {
    token.remove();
  }
}

function optionsOf(args: readonly string[]): { requests: number; seed: string } {
  const { values } = parseArgs({
    args: [...args],
    options: { requests: { type: 'string' }, seed: { type: 'string' } },
  });
  const requests = Number(values.requests ?? '1000');
  if (!Number.isSafeInteger(requests) || requests < 1) throw new Error('--requests is a number from 1');
  const seed = values.seed ?? randomBytes(8).toString('hex');
  if (!/^[0-9a-f]{16}$/.test(seed)) throw new Error('--seed is 16 hexadecimal digits');
  return { requests, seed };
}
