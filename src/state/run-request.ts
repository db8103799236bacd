import type { AssetKind } from '../domain/assets.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Day } from '../domain/partition.ts';
import type { MarketSymbol } from '../domain/symbol.ts';

/** The cells of the range that are requested. */
export const SELECTIONS = [
  'missing', // incomplete: never requested, failed, or due for another attempt
  'failed', // requested before and incomplete
  'all', // complete ones too (`--force`)
] as const;
/** `kept`: sends no requests; the responses in bronze are counted and classified again. */
export type Selection = (typeof SELECTIONS)[number] | 'kept';

/**
 * Which of our own waits are kept. `all`: healing waits for each next attempt. `holes`: a command typed by a person
 * requests failed cells immediately, but a hole in a response waits for its second attempt. `none`: `heal --now`. A
 * wait that the exchange set is always kept.
 */
export type WaitPolicy = 'all' | 'holes' | 'none';

/** The work of a run, complete enough for any process to execute it. */
export interface RunRequest {
  readonly markets: readonly (readonly [Exchange, readonly MarketSymbol[]])[];
  readonly selection: Selection;
  readonly waitPolicy: WaitPolicy;
  readonly assets: readonly AssetKind[];
  /**
   * First day of the whole request that the run is a part of: its pages may start before its own days, up to this one.
   */
  readonly askedFrom?: Day;
}

/** Stored form. `keptWaits` is the wait policy's name in state.db. */
type StoredRequest = Omit<RunRequest, 'waitPolicy'> & { readonly keptWaits: WaitPolicy };

export function requestToText({ waitPolicy, ...request }: RunRequest): string {
  return JSON.stringify({ ...request, keptWaits: waitPolicy } satisfies StoredRequest);
}

export function requestFromText(text: string): RunRequest {
  const { keptWaits, ...request } = JSON.parse(text) as StoredRequest;
  return { ...request, waitPolicy: keptWaits };
}
