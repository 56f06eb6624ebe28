/** The operations on secure channels. */
import type { RunsOf } from '../../operation.ts';
import type { channelOperations } from '../../operations/channel.ts';
import { wrapDomainKeys, wrappingPaths } from './key-wrapping.ts';
import { channelSessionKeys, cryptogramKey, foretellChannel } from './secure-channel.ts';
import type { Workbench } from './workbench.ts';

export const runs: RunsOf<typeof channelOperations, Workbench> = {
  channelSessionKeys: (bench, { card, keys, context }) => channelSessionKeys(bench, card, keys, context),
  cryptogramKey: (bench, { card, keys, context }) => ({ key: cryptogramKey(bench, card, keys, context) }),
  foretellChannel,
  wrapDomainKeys: (bench, request) => wrapDomainKeys(bench, request, wrappingPaths(bench.token)),
};
