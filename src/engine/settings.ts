import type { NetworkSettings } from '../kernel/http.ts';
import type { Exchange } from '../market/exchange.ts';
import type { Interval } from '../market/interval.ts';
import type { MarketSymbol } from '../market/symbol.ts';

/** The effective configuration: file, environment and flags already merged and checked. */
export interface Settings {
  /** Absolute. */
  readonly dataDir: string;
  /** Symbols configured by name; what patterns and rankings stand for, `resolveMarkets` tells. */
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
  /** Origins set by the user; no other host of that exchange is contacted. */
  readonly origins: Readonly<Partial<Record<Exchange, string>>>;
  readonly requestTimeoutMs: number;
  /** Per page, from its first attempt. */
  readonly deadlineMs: number;
  readonly recheckAfterMs: number;
  /** Share of a venue's limit that is ours, 0 < share <= 1. */
  readonly rateShare: number;
  readonly network: NetworkSettings;
  readonly hub: HubSettings | null;
}

export interface HubSettings {
  /** `owner/name` of the dataset repository. */
  readonly repo: string;
  readonly token: string;
  readonly endpoint: string;
}
