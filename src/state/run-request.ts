import type { AssetKind } from '../domain/assets.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Day } from '../domain/partition.ts';
import type { MarketSymbol } from '../domain/symbol.ts';

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
export type WaitPolicy = 'all' | 'holes' | 'none';

/** What a run is asked to do: enough for any process to execute it. */
export interface RunRequest {
  readonly markets: readonly (readonly [Exchange, readonly MarketSymbol[]])[];
  readonly selection: Selection;
  readonly waitPolicy: WaitPolicy;
  readonly assets: readonly AssetKind[];
  /** First day of the whole request that the run is a part of: its pages may begin before its own days, not before this one. */
  readonly askedFrom?: Day;
}

/** As the store keeps it. `keptWaits` is the wait policy's name in state.db. */
type StoredRequest = Omit<RunRequest, 'waitPolicy'> & { readonly keptWaits: WaitPolicy };

export function requestToText({ waitPolicy, ...request }: RunRequest): string {
  return JSON.stringify({ ...request, keptWaits: waitPolicy } satisfies StoredRequest);
}

export function requestFromText(text: string): RunRequest {
  const { keptWaits, ...request } = JSON.parse(text) as StoredRequest;
  return { ...request, waitPolicy: keptWaits };
}
