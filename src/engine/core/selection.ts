/** Which cells of the asked range are asked again. */
export const SELECTIONS = [
  'missing', // not complete: never asked, failed, or due for another look
  'failed', // asked before and came out incomplete
  'all', // complete ones too (`--force`)
] as const;
/** `kept`: none is asked; what bronze holds is accounted for and judged anew. */
export type Selection = (typeof SELECTIONS)[number] | 'kept';

/**
 * Which waits of our own are kept: `all` (healing keeps its appointments), `holes` (a command typed by
 * hand asks again at once what failed, but a hole that the venue answered with waits for its second
 * look), `none` (`heal --now`). A wait that the venue asked for is always kept.
 */
export type KeptWaits = 'all' | 'holes' | 'none';
