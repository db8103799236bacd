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
  | { readonly kind: 'exhausted' } // the retries are used up, or the data are later than allowed
  | { readonly kind: 'final' }; // asking again cannot change it

export interface Finding {
  readonly code: FaultCode;
  readonly asset: string;
  readonly scope: AlertScope;
}

/**
 * How loud a cause is. What recovery will retry is a warning, whatever its table says: nobody is paged
 * for what heals itself. Once the retries are used up, or at once where there are none, an asset that
 * failed as a whole is an error, a critical asset's failure is critical, and nothing is milder than its table.
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

/** What happens next by itself, as every alert says it. */
export function nextStep(forecast: RecoveryForecast): string {
  switch (forecast.kind) {
    case 'healing':
      return `healing ${forecast.attempt}/${forecast.attemptsMax}, next at ${new Date(forecast.nextAtMs).toISOString().slice(0, 16)}Z`;
    case 'exhausted':
      return 'no retry of the run is left; closed days are asked for again once a day, today at its next close';
    case 'final':
      return 'nothing: asking again cannot change it';
    default:
      return forecast satisfies never;
  }
}
