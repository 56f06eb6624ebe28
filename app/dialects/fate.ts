/**
 * What became of one command that was sent to a card. `ok`: accepted (data empty when the answer was lost in a crash). `refused`: answered,
 * not acceptable. `unknown`: may have reached the card, no answer. `unsent`: certainly never reached the card.
 */
export type Fate =
  | { readonly kind: 'ok'; readonly data: Uint8Array; readonly sw: number; readonly answered: boolean }
  | { readonly kind: 'refused'; readonly data: Uint8Array; readonly sw: number }
  /** `unproven`: an answer came, and it was not the card's. */
  | { readonly kind: 'unknown'; readonly unproven?: true }
  | { readonly kind: 'unsent' };

/** Status words after which a write may still have happened: memory and execution errors (ISO/IEC 7816-4 table 6). */
export function leavesDoubt(sw: number): boolean {
  return sw === 0x6581 || sw >> 8 === 0x64 || sw >> 8 === 0x6f;
}
