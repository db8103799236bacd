import type { AlertLevel } from '../errors/table.ts';
import type { ThresholdRule } from './rules.ts';

/** How one rule stands for one subject (an asset, an exchange). Plain data: it is kept in the store between evaluations. */
export interface RuleState {
  /** The level it fires at; null while it does not. */
  readonly level: AlertLevel | null;
  /** Evaluations in a row: above a threshold, not above any, without a value. */
  readonly bad: number;
  readonly good: number;
  readonly blind: number;
}

export const QUIET: RuleState = { level: null, bad: 0, good: 0, blind: 0 };

/** Evaluations in a row without a value that are more than an accident. */
export const BLIND_MAX = 3;

/** The level of the worst threshold that `value` is above; null for none. A value of exactly the threshold is not above it. */
export function levelAt(rule: ThresholdRule, value: number): AlertLevel | null {
  return rule.thresholds.findLast(({ above }) => value > above)?.level ?? null;
}

/**
 * The state after one more evaluation. It fires after `badMax` bad values in a row and at once gets
 * worse while it fires; it resolves after `goodMax` good ones. No value (null) changes neither: a rule
 * that cannot see is not a rule that is content.
 */
export function evaluateRule(rule: ThresholdRule, state: RuleState, value: number | null): RuleState {
  if (value === null || Number.isNaN(value)) return { ...state, blind: state.blind + 1 };
  const level = levelAt(rule, value);
  if (level === null) {
    const good = state.good + 1;
    return { level: good >= rule.goodMax ? null : state.level, bad: 0, good, blind: 0 };
  }
  const bad = state.bad + 1;
  const fires = state.level !== null || bad >= rule.badMax;
  return { level: fires ? level : null, bad, good: 0, blind: 0 };
}

export const isBlind = ({ blind }: RuleState): boolean => blind >= BLIND_MAX;

/** The `ratio`-quantile of some values, as the value at that rank; null without values. */
export function quantile(values: readonly number[], ratio: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * ratio) - 1)] ?? null;
}
