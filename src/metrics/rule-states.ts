import type { Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Sample } from './exposition.ts';
import { evaluateRule, QUIET, type RuleState } from './rule-evaluation.ts';
import { RULE_CODES, thresholdRule, type RuleCode } from './rules.ts';

/** One value for one rule; null when there was nothing to measure. */
export interface Measurement {
  readonly rule: RuleCode;
  /** Asset or exchange; empty for a rule about the installation. */
  readonly subject: string;
  readonly value: number | null;
}

export interface RuleChange extends Measurement {
  readonly before: RuleState;
  readonly after: RuleState;
}

/** Evaluates each measurement against its stored state; returns all of them, changed or not. */
export function* evaluateMeasurements(
  measurements: readonly Measurement[],
  nowMs: number,
): Operation<readonly RuleChange[]> {
  const changes: RuleChange[] = [];
  for (const measurement of measurements) {
    const { rule, subject, value } = measurement;
    const before =
      (yield* first<RuleState>(
        'select level, bad, good, blind from metric_rules where rule = $1 and subject = $2',
        rule,
        subject,
      )) ?? QUIET;
    const after = evaluateRule(thresholdRule(rule), before, value);
    yield* exec(
      `insert into metric_rules (rule, subject, level, bad, good, blind, changed_at) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (rule, subject) do update set level = excluded.level, bad = excluded.bad, good = excluded.good,
         blind = excluded.blind, changed_at = excluded.changed_at`,
      rule,
      subject,
      after.level,
      after.bad,
      after.good,
      after.blind,
      nowMs,
    );
    changes.push({ ...measurement, before, after });
  }
  return changes;
}

/** For every rule: 1 when it fires for any subject, otherwise 0. */
export function* ruleMetrics(): Operation<readonly Sample[]> {
  const firing = new Set(
    (yield* all<{ rule: string }>('select distinct rule from metric_rules where level is not null')).map(
      ({ rule }) => rule,
    ),
  );
  return RULE_CODES.map((rule) => ({
    name: 'pipeline_rule_firing',
    labels: { rule },
    value: firing.has(rule) ? 1 : 0,
  }));
}
