/** Bytes and commands, for tests of the host's side. */
export { type Aid, toAid } from '../../app/card/aid.ts';
export { type CommandApdu, decodeCommand, decodeResponse, encodeCommand } from '../../app/card/apdu.ts';
export { concat, fromHex, toHex } from '../../app/card/bytes.ts';
export { deleteKeys, deleteObject, select, setStatus } from '../../app/globalplatform/commands.ts';
export { LoadFileTooLarge } from '../../app/globalplatform/errors.ts';
export {
  installForInstallAndMakeSelectable,
  installForLoad,
  loadParameters,
} from '../../app/globalplatform/install.ts';
