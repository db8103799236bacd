import type { Exchange } from '../../domain/exchange.ts';
import type { RuleCode } from '../../metrics/rules.ts';
import type { AlertLevel, FaultCode } from '../../errors/table.ts';

export type AlertCode = FaultCode | RuleCode;

/** What is wrong, once: however many symbols, runs and retries it touches, it is one alert. */
export interface Cause {
  readonly exchange: Exchange | null;
  readonly code: AlertCode;
  /** The asset it shows in; for ALERT_CHANNEL_BROKEN the channel. */
  readonly asset: string | null;
}

/** `binance/CONNECTION_FAILED/bronze_binance_ohlcv`: names a cause in the store and at every channel. */
export const fingerprintOf = ({ exchange, code, asset }: Cause): string =>
  [exchange ?? '-', code, asset ?? '-'].join('/');

/** What everybody who is told must learn. Sentences for people; secrets are taken out before anything is stored. */
export interface AlertFacts {
  /** What failed. */
  readonly summary: string;
  /** What is not lost. */
  readonly safe: string;
  /** What happens next by itself, and when. */
  readonly next: string;
  /** One command that shows more or acts. */
  readonly command: string;
  readonly runId: string | null;
  readonly affected: { readonly total: number /** A few of them, worst first. */; readonly worst: readonly string[] };
  readonly tags: Readonly<Record<string, string>>;
}

/** How much of an asset a cause touches. */
export type AlertScope = 'symbols' | 'asset';

/** A cause was met. */
export interface AlertEvent extends Cause, AlertFacts {
  readonly scope: AlertScope;
  readonly level: AlertLevel;
}

/** What the store knows of a cause. It may fire again after it was resolved: that is its next episode. */
export interface Alert extends Cause {
  readonly fingerprint: string;
  readonly scope: AlertScope;
  /** Counts from 1. */
  readonly episode: number;
  /** The worst level of this episode. */
  readonly level: AlertLevel;
  readonly facts: AlertFacts;
  readonly firedAtMs: number;
  /** When the cause was last met. */
  readonly seenAtMs: number;
  /** Null while it fires. */
  readonly resolvedAtMs: number | null;
  /** Who or what resolved it. */
  readonly resolution: string | null;
  readonly ackedBy: string | null;
}

export const isFiring = (alert: Alert): boolean => alert.resolvedAtMs === null;
