import type { Alert } from '../../../alerting/model/alert.ts';
import { silences, type Silence } from '../../../alerting/model/silences.ts';
import { alertHistory, listAlerts, type AlertList } from '../../../engine/queries/alert-list.ts';
import type { Action, Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openStateSession, type StateSession } from '../../open-session.ts';
import { table, type Console } from '../../output/console.ts';
import { isoTime, listDocument } from '../../output/schema.ts';
import { silenceDocument } from './silence-document.ts';

interface ListOptions {
  readonly all?: boolean;
  readonly history?: boolean;
}

export const showAlerts: Action<ListOptions> = async (session, options) => {
  const open = await openStateSession(session, await configure(session));
  if (options.history) return showHistory(open);
  const list = await listAlerts(open.pipeline, options.all ? 'all' : 'firing');
  return {
    exit: EXIT.done,
    document: {
      ...listDocument(list.alerts.map((alert) => alertDocument(alert, silenceOf(alert, list)))),
      silences: list.silences.map(silenceDocument),
    },
    text: () => listText(open.screen, list),
  };
};

const silenceOf = (alert: Alert, list: AlertList): Silence | undefined =>
  list.silences.find((one) => silences(one, alert));

function listText(screen: Console, list: AlertList): string {
  return [
    ...(list.alerts.length === 0 ? ['nothing fires'] : []),
    ...list.alerts.map((alert) => alertText(screen, alert, silenceOf(alert, list))),
    ...list.silences.map((one) => {
      const scope = [one.exchange, one.code, one.asset].filter((part) => part !== null).join(', ');
      return `silence ${one.id} until ${isoTime(one.expiresAtMs)}: ${scope} (${one.author}: ${one.reason})`;
    }),
  ].join('\n');
}

function alertText(screen: Console, alert: Alert, silenced: Silence | undefined): string {
  const { facts, fingerprint, resolvedAtMs } = alert;
  const since = `since ${isoTime(alert.firedAtMs)}${stateOf(alert, silenced)}`;
  const label = `[${resolvedAtMs === null ? alert.level.toUpperCase() : 'RESOLVED'}]`;
  return [
    `${screen.colour(colourOf(alert), label)} ${fingerprint}  ${since}`,
    `  ${facts.summary}`,
    `  safe  ${facts.safe}`,
    `  next  ${resolvedAtMs === null ? facts.next : 'nothing is left to do'}`,
    `  run   ${facts.command}`,
  ].join('\n');
}

function stateOf({ resolvedAtMs, ackedBy }: Alert, silenced: Silence | undefined): string {
  if (resolvedAtMs !== null) return `, ended ${isoTime(resolvedAtMs)}`;
  if (ackedBy !== null) return `, acknowledged by ${ackedBy}`;
  return silenced === undefined ? '' : ', silenced';
}

const colourOf = ({ resolvedAtMs, level }: Alert): 'green' | 'red' | 'yellow' =>
  resolvedAtMs !== null ? 'green' : level === 'critical' || level === 'error' ? 'red' : 'yellow';

const alertDocument = (
  { fingerprint, exchange, code, asset, level, episode, facts, ...alert }: Alert,
  silenced: Silence | undefined,
): object => ({
  fingerprint,
  exchange,
  code,
  asset,
  level,
  episode,
  ...facts,
  run_id: facts.runId,
  fired_at: isoTime(alert.firedAtMs),
  seen_at: isoTime(alert.seenAtMs),
  resolved_at: isoTime(alert.resolvedAtMs),
  resolution: alert.resolution,
  acked_by: alert.ackedBy,
  silence: silenced?.id ?? null,
});

async function showHistory({ pipeline }: StateSession): Promise<Outcome> {
  const entries = await alertHistory(pipeline);
  return {
    exit: EXIT.done,
    document: listDocument(entries.map(({ atMs, ...entry }) => ({ at: isoTime(atMs), ...entry }))),
    text: () =>
      table(
        ['at', 'action', 'by', 'alert', 'detail'],
        entries.map((entry) => [
          isoTime(entry.atMs) ?? '',
          entry.action,
          entry.actor,
          entry.fingerprint ?? '-',
          entry.detail,
        ]),
      ),
  };
}
