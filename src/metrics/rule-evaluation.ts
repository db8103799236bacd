import type { AlertLevel } from '../errors/table.ts';
import type { ThresholdRule } from './rules.ts';

/** State of one rule for one subject (an asset, an exchange). Plain data, stored between evaluations. */
export interface RuleState {
  /** The level it fires at; null while it does not fire. */
  readonly level: AlertLevel | null;
  /** Consecutive evaluations: above a threshold, above none, without a value. */
  readonly bad: number;
  readonly good: number;
  readonly blind: number;
}

export const QUIET: RuleState = { level: null, bad: 0, good: 0, blind: 0 };

/** Consecutive evaluations without a value after which the rule counts as blind. */
export const BLIND_MAX = 3;

/** The level of the highest threshold below `value`; null for none. A value equal to a threshold is not above it. */
export function levelAt(rule: ThresholdRule, value: number): AlertLevel | null {
  return rule.thresholds.findLast(({ above }) => value > above)?.level ?? null;
}

/**
 * The state after one more evaluation. The rule fires after `badMax` consecutive bad values and resolves after
 * `goodMax` good ones; while it fires, its level follows the value. A missing value (null) changes neither: without
 * data a rule must not resolve.
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
