import { isRuleCode, RULES } from '../../metrics/rules.ts';
import type { AlertLevel } from '../../errors/table.ts';
import { isFiring, type Alert, type AlertCode } from '../model/alert.ts';
import { severityOf, worseOf } from '../model/levels.ts';

/** How one alert is shown beside the others. */
export interface Inhibition {
  /** Fingerprint of the alert that explains this one, which is then not sent. Null for an alert that is sent. */
  readonly hiddenBy: string | null;
  /** The worse of its own level and those of the alerts it hides. */
  readonly level: AlertLevel;
  /** Codes of the firing alerts it hides. */
  readonly explains: readonly AlertCode[];
}

/** How long after its end a cause still hides its consequences. Unit: milliseconds. */
export const CONSEQUENCES_LAST_MS = 300_000;

/** Codes that stop every venue: all other alerts follow from them. */
const STOPS_EVERYTHING: readonly string[] = ['UNAUTHORIZED', 'STORAGE_FAILED'];
/** Codes that never follow from another cause. */
const NEVER_A_CONSEQUENCE: readonly string[] = [
  'DEFECT',
  'ALERT_CHANNEL_BROKEN',
  'CONFIG_INVALID',
  'STATE_UNUSABLE',
  'PUBLISH_FAILED',
  'RUN_CRASHED',
];

/** Causes before consequences. An alert is hidden only by one of a lower rank, so that two never hide each other. */
function rankOf({ code, scope, exchange }: Alert): number {
  if (STOPS_EVERYTHING.includes(code)) return 0;
  if (isRuleCode(code)) return 5;
  if (code === 'SYMBOLS_FAILED') return 3;
  if (exchange === null) return 4; // silver and gold
  return scope === 'asset' ? 1 : 2;
}

/** True when `cause` explains why `other` fires. */
function explains(cause: Alert, other: Alert): boolean {
  if (rankOf(cause) >= rankOf(other) || NEVER_A_CONSEQUENCE.includes(other.code)) return false;
  if (STOPS_EVERYTHING.includes(cause.code)) return true;
  if (isRuleCode(other.code))
    return isNear(cause, other) && (RULES[other.code].explainedBy as readonly string[]).includes(cause.code);
  if (other.code === 'SYMBOLS_FAILED') return isNear(cause, other);
  // A venue that is down hides alerts about its symbols and about the assets made from it.
  return cause.scope === 'asset' && cause.exchange !== null && isNear(cause, other);
}

/** The same exchange; without one, the same asset or an asset made from a venue that failed as a whole. */
function isNear(cause: Alert, other: Alert): boolean {
  if (cause.exchange !== null && other.exchange !== null) return cause.exchange === other.exchange;
  return cause.asset === other.asset || (other.exchange === null && cause.scope === 'asset');
}

/** True when both fired at the same time, or nearly so. */
function overlaps(cause: Alert, other: Alert, nowMs: number): boolean {
  const causeEndsMs = cause.resolvedAtMs === null ? Infinity : cause.resolvedAtMs + CONSEQUENCES_LAST_MS;
  return isFiring(other)
    ? causeEndsMs > nowMs
    : cause.firedAtMs <= (other.resolvedAtMs ?? nowMs) && causeEndsMs >= other.firedAtMs;
}

/**
 * Decides which alert explains which. A silenced alert hides nothing worse than itself: the person who silenced it has
 * not seen the worse one.
 */
export function inhibitionsOf(
  alerts: readonly Alert[],
  isSilenced: (alert: Alert) => boolean,
  nowMs: number,
): ReadonlyMap<string, Inhibition> {
  const causesFirst = alerts.toSorted((a, b) => rankOf(a) - rankOf(b));
  const hides = (cause: Alert, other: Alert): boolean =>
    explains(cause, other) &&
    overlaps(cause, other, nowMs) &&
    (!isSilenced(cause) || severityOf(other.level) <= severityOf(cause.level));
  const hiddenBy = new Map<string, string>();
  const lent = new Map<string, AlertLevel>();
  const lentTo = (alert: Alert): AlertLevel => lent.get(alert.fingerprint) ?? 'info';
  for (const alert of causesFirst.toReversed()) {
    const cause = causesFirst.find((candidate) => hides(candidate, alert));
    if (cause === undefined) continue;
    hiddenBy.set(alert.fingerprint, cause.fingerprint);
    const passedOn = isFiring(alert) && !isSilenced(alert) ? worseOf(alert.level, lentTo(alert)) : lentTo(alert);
    lent.set(cause.fingerprint, worseOf(lentTo(cause), passedOn));
  }
  return new Map(
    alerts.map((alert) => [
      alert.fingerprint,
      {
        hiddenBy: hiddenBy.get(alert.fingerprint) ?? null,
        level: worseOf(alert.level, lentTo(alert)),
        explains: [
          ...new Set(
            alerts
              .filter((other) => isFiring(other) && hiddenBy.get(other.fingerprint) === alert.fingerprint)
              .map(({ code }) => code),
          ),
        ],
      },
    ]),
  );
}
