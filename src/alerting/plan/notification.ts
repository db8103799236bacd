import type { AlertLevel } from '../../errors/table.ts';
import type { Alert, AlertCode, AlertFacts } from '../model/alert.ts';

/**
 * `trigger`: it fires. `resolve`: it ended. `healed`: it fired and ended before it was sent. `acknowledge`: a person
 * works on it. `digest`: several in one.
 */
export type NotificationKind = 'trigger' | 'resolve' | 'healed' | 'acknowledge' | 'digest';

/** Content of a message: plain JSON, fixed when it is written to the outbox. Channels only decide how it looks. */
export interface Notification extends Omit<AlertFacts, 'summary'> {
  readonly kind: NotificationKind;
  readonly instance: string;
  readonly fingerprint: string;
  readonly code: AlertCode | null;
  readonly exchange: string | null;
  readonly asset: string | null;
  readonly level: AlertLevel;
  /** `[ERROR] REQUEST_REJECTED at binance: 3 of 40 symbols failed`. */
  readonly title: string;
  readonly text: string;
  readonly firedAtMs: number;
  /** When the alert began or ended. */
  readonly atMs: number;
  /** Address of the runbook page; a path where no address is configured. */
  readonly runbook: string;
  /** Titles of the alerts in a digest. */
  readonly lines: readonly string[];
}

export interface NotificationSource {
  /** Name of this installation, for channels that several installations share. */
  readonly instance: string;
  /** Address of docs/runbook/; null for the path inside the package. */
  readonly runbookUrl: string | null;
}

/** Length of the summary in a title; channels cut further where their limit is lower. Unit: characters. */
const SUMMARY_CHARS_MAX = 200;

export interface NotificationOccasion {
  readonly kind: Exclude<NotificationKind, 'digest'>;
  readonly level: AlertLevel;
  readonly firingsInHour: number;
  /** Codes of the alerts that are not sent because this one explains them. */
  readonly explains: readonly AlertCode[];
  readonly nowMs: number;
}

export function notificationOf(
  alert: Alert,
  { kind, level, firingsInHour, explains, nowMs }: NotificationOccasion,
  source: NotificationSource,
): Notification {
  const { summary, ...facts } = alert.facts;
  const isOver = kind === 'resolve' || kind === 'healed';
  const headline = isOver ? endOf(alert, kind) : summary;
  const place = [alert.exchange, alert.exchange === null ? alert.asset : null]
    .filter((part) => part !== null)
    .map((part) => ` at ${part}`)
    .join('');
  return {
    ...facts,
    kind,
    instance: source.instance,
    fingerprint: alert.fingerprint,
    code: alert.code,
    exchange: alert.exchange,
    asset: alert.asset,
    level,
    title: `[${isOver ? 'RESOLVED' : level.toUpperCase()}] ${alert.code}${place}: ${cut(headline, SUMMARY_CHARS_MAX)}`,
    text: [
      summary,
      ...(isOver ? [endOf(alert, kind)] : []),
      ...(explains.length > 0 ? [`Because of it: ${explains.join(', ')}.`] : []),
      ...(firingsInHour > 1 ? [flappingNote(firingsInHour)] : []),
    ].join('\n'),
    next: isOver ? 'nothing is left to do' : facts.next,
    firedAtMs: alert.firedAtMs,
    atMs: alert.resolvedAtMs ?? nowMs,
    runbook: runbookOf(alert.code, source),
    lines: [],
  };
}

function endOf({ firedAtMs, resolvedAtMs, resolution }: Alert, kind: NotificationKind): string {
  const duration = durationText((resolvedAtMs ?? firedAtMs) - firedAtMs);
  const why = resolution === null ? '' : `, ${resolution}`;
  return `${kind === 'healed' ? 'failed and healed' : 'over'} after ${duration}${why}`;
}

const flappingNote = (firings: number): string =>
  `It began ${firings} times within an hour; its end is sent after a quiet hour.`;

const runbookOf = (code: AlertCode, { runbookUrl }: NotificationSource): string =>
  `${runbookUrl ?? 'docs/runbook'}/${code}.md`;

/** `42 s`, `14 min`, `3 h 5 min`. */
export function durationText(spanMs: number): string {
  const minutes = Math.round(spanMs / 60_000);
  if (minutes < 2) return `${Math.round(spanMs / 1_000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** At most `charsMax` characters; a cut text ends with an ellipsis. Never splits a surrogate pair. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const kept = text.slice(0, charsMax - 1);
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

/** The fields of a notification besides title and text, as name and value. Every channel shows all of them. */
export function fieldsOf(notification: Notification): readonly (readonly [name: string, value: string])[] {
  const { affected, tags } = notification;
  const rows: readonly (readonly [string, string | null])[] = [
    ['Code', notification.code],
    ['Exchange', notification.exchange],
    ['Asset', notification.asset],
    ['Run', notification.runId],
    [
      'Affected',
      affected.total === 0
        ? null
        : `${affected.total}: ${affected.worst.join(', ')}${affected.total > affected.worst.length ? ', …' : ''}`,
    ],
    ['Since', `${new Date(notification.firedAtMs).toISOString().slice(0, 19)}Z`],
    ['Safe', notification.safe],
    ['Next', notification.next],
    ['Command', notification.command],
    ['Runbook', notification.runbook],
    [
      'Tags',
      Object.entries(tags)
        .map(([tag, value]) => `${tag}=${value}`)
        .join(' '),
    ],
    ['From', notification.instance],
  ];
  return rows.flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value] as const]));
}
