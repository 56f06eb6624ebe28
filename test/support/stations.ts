/** What a test of the station opens with: an engine on a folder of its own, a scripted card and server, a journal, and what they say. */
export { KaikaError } from '../../app/protocol/errors.ts';
export type {
  AnswersRequest,
  Batch,
  Command,
  JobReply,
  Outcome,
  StepReply,
} from '../../app/protocol/wire.ts';
export { openVirtualReaders, type VirtualReaders } from '../../app/simulator/virtual-reader.ts';
export { openJournal } from '../../app/station/jobs/journal/file.ts';
export type { Journal } from '../../app/station/jobs/journal/journal.ts';
export { noLog, systemClock } from '../../app/station/ports.ts';
export { RefusedError } from '../../app/station/server/client.ts';
export { ServerLine } from '../../app/station/server/line.ts';
export { newJobRequest } from './job-request.ts';
export { ScriptedCard, WALLET_AID } from './scripted-card.ts';
export { away, ScriptedServer } from './scripted-server.ts';
export {
  demoCatalogue,
  freshStation,
  openTestStation,
  scriptedCatalogue,
  sharedStation,
  type TestStation,
  temporaryFolder,
  wholeLook,
} from './station.ts';
