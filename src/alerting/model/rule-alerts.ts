import type { Operation } from '../../platform/ports/store.ts';
import { exchangeOfAsset } from '../../domain/assets.ts';
import { isBlind } from '../../metrics/rule-evaluation.ts';
import type { RuleChange } from '../../metrics/rule-states.ts';
import { thresholdRule } from '../../metrics/rules.ts';
import type { AlertEvent, Cause } from './alert.ts';
import { raiseAlert, resolveAlert, type AlertContext } from './alerts.ts';
import { durationText } from '../plan/notification.ts';

/** Raises alerts of rules that fire and resolves those that stopped, in the transaction that evaluated the rules. */
export function* alertRules(changes: readonly RuleChange[], moment: AlertContext): Operation<void> {
  for (const change of changes) {
    const event = ruleEvent(change);
    if (event !== null) yield* raiseAlert(event, moment);
    else if (change.before.level !== null)
      yield* resolveAlert(
        causeOf(change),
        `${valueText(change)} again, ${thresholdRule(change.rule).goodMax} times in a row`,
        moment,
      );
  }
}

function causeOf({ rule, subject }: RuleChange): Cause {
  const { per } = thresholdRule(rule);
  return {
    exchange: per === 'exchange' ? subject : per === 'asset' ? exchangeOfAsset(subject) : null,
    code: rule,
    asset: per === 'asset' ? subject : null,
  };
}

/** Null for a rule that does not fire. */
function ruleEvent(change: RuleChange): AlertEvent | null {
  const { rule, subject, after } = change;
  const { measure, thresholds, windowMs } = thresholdRule(rule);
  if (after.level === null) return null;
  const limit = thresholds.findLast(({ level }) => level === after.level)?.above ?? 0;
  return {
    ...causeOf(change),
    scope: 'asset',
    level: after.level,
    summary: isBlind(after)
      ? `${measure}: no value any more; the last one was above the threshold`
      : `${subject === '' ? '' : `${subject}: `}${measure}: ${valueText(change)}, more than ${textOf(rule, limit)}`,
    safe: 'all stored data; a rule only observes',
    next:
      windowMs === 0
        ? 'evaluated every minute'
        : 'evaluated every minute; it ends by itself, at the latest once the values are older than its window',
    command: `candlekeep explain ${rule}`,
    runId: null,
    affected: { total: 0, worst: [] },
    tags: {},
  };
}

const valueText = ({ rule, value }: RuleChange): string => (value === null ? 'no value' : textOf(rule, value));

function textOf(rule: RuleChange['rule'], value: number): string {
  const { unit } = thresholdRule(rule);
  switch (unit) {
    case 'runs':
      return `${Math.round(value)} runs`;
    case 'ratio':
      return `${(value * 100).toFixed(1)} %`;
    case 'seconds':
      // Rounded up to whole minutes, so that a value above a threshold never reads like the threshold.
      return durationText(value < 120 ? value * 1_000 : Math.ceil(value / 60) * 60_000);
    default:
      return unit satisfies never;
  }
}
