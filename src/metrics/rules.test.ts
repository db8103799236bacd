import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { METRIC_NAMES } from './families.ts';
import { BLIND_MAX, evaluateRule, isBlind, levelAt, quantile, QUIET, type RuleState } from './rule-evaluation.ts';
import { isRuleCode, RULE_CODES, thresholdRule, type RuleCode } from './rules.ts';

const after = (code: RuleCode, values: readonly (number | null)[], state: RuleState = QUIET): RuleState =>
  values.reduce((current, value) => evaluateRule(thresholdRule(code), current, value), state);

test.each<[RuleCode, number, number, string]>([
  ['RULE_FAILED_RUNS', 3, 4, 'critical'],
  ['RULE_FAILED_SYMBOLS', 0.1, 0.11, 'warning'],
  ['RULE_ROWS_REMOVED', 0.05, 0.06, 'warning'],
  ['RULE_ROWS_REMOVED', 0.1, 0.11, 'error'],
  ['RULE_LATENCY', 300, 301, 'warning'],
  ['RULE_FRESHNESS', 7_200, 7_201, 'critical'],
])('%s: exactly %d does not fire, %d is %s', (code, at, above, level) => {
  const rule = thresholdRule(code);
  expect(levelAt(rule, at)).not.toBe(level);
  expect(levelAt(rule, above)).toBe(level);
});

test.each(RULE_CODES)('%s fires after its number of bad values and resolves after its number of good ones', (code) => {
  const rule = thresholdRule(code);
  const bad = (rule.thresholds.at(-1)?.above ?? 0) * 2;
  const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);
  if (rule.badMax > 1) expect(after(code, times(rule.badMax - 1, bad)).level).toBeNull();
  const firing = after(code, times(rule.badMax, bad));
  expect(firing.level).toBe(rule.thresholds.at(-1)?.level);
  expect(after(code, times(rule.goodMax - 1, 0), firing).level).toBe(firing.level);
  expect(after(code, times(rule.goodMax, 0), firing).level).toBeNull();
});

test('the level of a firing rule follows its value', () => {
  expect(after('RULE_ROWS_REMOVED', [0.06]).level).toBe('warning');
  expect(after('RULE_ROWS_REMOVED', [0.06, 0.2]).level).toBe('error');
  expect(after('RULE_ROWS_REMOVED', [0.06, 0.2, 0.06]).level).toBe('warning');
});

test('a rule without values keeps its state and is blind after a while', () => {
  const firing = after('RULE_FRESHNESS', [9_000]);
  const blind = after(
    'RULE_FRESHNESS',
    Array.from({ length: BLIND_MAX }, () => null),
    firing,
  );
  expect([blind.level, isBlind(blind), isBlind(after('RULE_FRESHNESS', [null, null], firing))]).toEqual([
    'critical',
    true,
    false,
  ]);
  expect(isBlind(after('RULE_FRESHNESS', [0], blind))).toBe(false);
});

test('for any values a rule fires only after enough consecutive bad ones and changes only with a value', () => {
  const values = fc.array(fc.oneof(fc.constant(null), fc.constantFrom(0, 0.05, 0.07, 0.2)), { maxLength: 30 });
  fc.assert(
    fc.property(fc.constantFrom<RuleCode>('RULE_FAILED_SYMBOLS', 'RULE_ROWS_REMOVED'), values, (code, seen) => {
      const rule = thresholdRule(code);
      let state = QUIET;
      for (const [at, value] of seen.entries()) {
        const next = evaluateRule(rule, state, value);
        if (value === null) expect(next.level).toBe(state.level);
        if (state.level === null && next.level !== null) {
          const lately = seen
            .slice(0, at + 1)
            .filter((one) => one !== null)
            .slice(-rule.badMax);
          expect(lately.every((one) => levelAt(rule, one) !== null)).toBe(true);
        }
        state = next;
      }
    }),
  );
});

test('every rule reads metrics that exist', () => {
  for (const code of RULE_CODES) {
    const names = [...thresholdRule(code).promql.matchAll(/pipeline_[a-z_]+/g)].map(([name]) =>
      name.replace(/_bucket$/, ''),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !METRIC_NAMES.some((known) => known === name))).toEqual([]);
  }
  expect(isRuleCode('toString')).toBe(false);
});

test('the 95 % quantile is the value that 95 % do not exceed', () => {
  expect(quantile([], 0.95)).toBeNull();
  expect(quantile([7], 0.95)).toBe(7);
  expect(
    quantile(
      Array.from({ length: 100 }, (_, at) => 100 - at),
      0.95,
    ),
  ).toBe(95);
});
