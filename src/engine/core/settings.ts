import type { NetworkSettings } from '../../platform/network-settings.ts';
import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { alertSecrets, type AlertSettings } from '../../alerting/model/settings.ts';

/** The effective configuration: file, environment and flags already merged and checked. */
export interface Settings {
  /** Absolute. */
  readonly dataDir: string;
  /** Symbols configured by name. `resolveMarkets` adds those of patterns and rankings. */
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
  readonly alerts: AlertSettings;
  /** Carried by every run and shown in its alerts: `team`, `criticality`, `alert_channel`, others. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface HubSettings {
  /** `owner/name` of the dataset repository. */
  readonly repo: string;
  readonly token: string;
  readonly endpoint: string;
}

/** Secrets to redact from every text that is stored, printed or sent. */
export const secretsOf = ({
  alerts,
  hub,
  network: { egress, httpsProxy },
}: Pick<Settings, 'alerts' | 'hub' | 'network'>): string[] => [
  ...alertSecrets(alerts),
  ...(hub === null ? [] : [hub.token]),
  ...([httpsProxy, egress !== null && 'proxyUrl' in egress ? egress.proxyUrl : null].filter(
    (proxy) => proxy !== null && hasPassword(proxy),
  ) as string[]),
];

/** A proxy URL without a password is not secret. */
const hasPassword = (url: string): boolean => (URL.parse(url)?.password ?? '') !== '';
