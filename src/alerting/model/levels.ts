import { ruleOf, type AlertLevel, type FaultCode } from '../../errors/table.ts';
import type { AlertScope } from './alert.ts';

/** Mildest first. */
export const LEVELS: readonly AlertLevel[] = ['info', 'warning', 'error', 'critical'];

export const severityOf = (level: AlertLevel): number => LEVELS.indexOf(level);
export const worseOf = (a: AlertLevel, b: AlertLevel): AlertLevel => (severityOf(a) >= severityOf(b) ? a : b);
const milderOf = (a: AlertLevel, b: AlertLevel): AlertLevel => (severityOf(a) >= severityOf(b) ? b : a);

/** What recovery will do about a cause. */
export type RecoveryForecast =
  | { readonly kind: 'healing'; readonly attempt: number; readonly attemptsMax: number; readonly nextAtMs: number }
  | { readonly kind: 'exhausted' } // no retries are left, or the data is later than allowed
  | { readonly kind: 'final' }; // a retry cannot change it

export interface Finding {
  readonly code: FaultCode;
  readonly asset: string;
  readonly scope: AlertScope;
}

/**
 * The level of a cause. While recovery will retry, it is at most a warning: faults that heal by themselves page nobody.
 * Once the retries are used up, or immediately where there are none, an asset that failed as a whole is an error, and a
 * critical asset that failed is critical. The level is then never milder than the fault table's.
 */
export function alertLevel(
  { code, asset, scope }: Finding,
  forecast: RecoveryForecast,
  criticalAssets: ReadonlySet<string>,
): AlertLevel {
  const { level } = ruleOf(code);
  const finalLevel: AlertLevel = criticalAssets.has(asset) ? 'critical' : 'error';
  switch (forecast.kind) {
    case 'healing':
      return milderOf(level, 'warning');
    case 'exhausted':
      return worseOf(level, finalLevel);
    case 'final':
      return scope === 'asset' ? worseOf(level, finalLevel) : level;
    default:
      return forecast satisfies never;
  }
}

const minuteText = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 16)}Z`;

/** The next automatic step, as every alert states it. */
export function nextStep(forecast: RecoveryForecast): string {
  switch (forecast.kind) {
    case 'healing':
      return `healing ${forecast.attempt}/${forecast.attemptsMax}, next at ${minuteText(forecast.nextAtMs)}`;
    case 'exhausted':
      return 'the run has no retries left; closed days are requested again once a day, today at its next close';
    case 'final':
      return 'nothing: a retry cannot change it';
    default:
      return forecast satisfies never;
  }
}
