import type { Exchange } from '../../domain/exchange.ts';
import type { RuleCode } from '../../metrics/rules.ts';
import type { AlertLevel, FaultCode } from '../../errors/table.ts';

export type AlertCode = FaultCode | RuleCode;

/** One problem. It is one alert, no matter how many symbols, runs and retries it affects. */
export interface Cause {
  readonly exchange: Exchange | null;
  readonly code: AlertCode;
  /** The affected asset; for ALERT_CHANNEL_BROKEN the channel. */
  readonly asset: string | null;
}

/** `binance/CONNECTION_FAILED/bronze_binance_ohlcv`: the name of a cause in the store and at every channel. */
export const fingerprintOf = ({ exchange, code, asset }: Cause): string =>
  [exchange ?? '-', code, asset ?? '-'].join('/');

/** What every notification says, in sentences for people. Secrets are removed before anything is stored. */
export interface AlertFacts {
  /** What failed. */
  readonly summary: string;
  /** Data that is not lost. */
  readonly safe: string;
  /** The next automatic step, and its time. */
  readonly next: string;
  /** One command that shows details or acts. */
  readonly command: string;
  readonly runId: string | null;
  readonly affected: { readonly total: number /** A few, worst first. */; readonly worst: readonly string[] };
  readonly tags: Readonly<Record<string, string>>;
}

/** How much of an asset a cause affects. */
export type AlertScope = 'symbols' | 'asset';

/** One occurrence of a cause. */
export interface AlertEvent extends Cause, AlertFacts {
  readonly scope: AlertScope;
  readonly level: AlertLevel;
}

/** A cause as stored. When it fires again after it was resolved, its next episode begins. */
export interface Alert extends Cause {
  readonly fingerprint: string;
  readonly scope: AlertScope;
  /** Counts from 1. */
  readonly episode: number;
  /** The worst level of this episode. */
  readonly level: AlertLevel;
  readonly facts: AlertFacts;
  readonly firedAtMs: number;
  /** Time of the last occurrence. */
  readonly seenAtMs: number;
  /** Null while it fires. */
  readonly resolvedAtMs: number | null;
  /** Why it was resolved. */
  readonly resolution: string | null;
  readonly ackedBy: string | null;
}

export const isFiring = (alert: Alert): boolean => alert.resolvedAtMs === null;
