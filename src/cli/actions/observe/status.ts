import { statusReport, type StatusReport } from '../../../engine/queries/status.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openStateSession, type StateSession } from '../../open-session.ts';
import { count, table, type Output } from '../../output/console.ts';
import { runDocument } from '../../output/documents.ts';
import { isoTime, SCHEMA } from '../../output/schema.ts';

/** How often --watch looks again. Unit: milliseconds. */
const WATCH_EVERY_MS = 2_000;

/** Cursor home, then erase to the end of the screen. */
const CLEAR = '\u001B[H\u001B[2J';

export const status: Action<{ readonly watch?: boolean }> = async (session, options) => {
  const open = await openStateSession(session, await configure(session));
  const { pipeline, screen, control, clock, io } = open;
  const look = async (): Promise<Output> => outputOf(open, await statusReport(pipeline));
  if (!options.watch) return { exit: EXIT.done, ...(await look()) };
  screen.print(await look());
  while (!control.signal.aborted) {
    await clock.sleep(WATCH_EVERY_MS, control.signal).catch(() => undefined);
    if (control.signal.aborted) break;
    if (screen.isLive && io.stdout.isTTY) screen.text(CLEAR);
    screen.print(await look());
  }
  return { exit: EXIT.done, isStreamed: true };
};

const outputOf = ({ pipeline }: StateSession, report: StatusReport): Output => ({
  document: {
    schema: SCHEMA,
    data_dir: pipeline.lake.root,
    stored: report.totals,
    alerts: report.firing.map(({ fingerprint, level, facts, firedAtMs }) => ({
      fingerprint,
      level,
      summary: facts.summary,
      fired_at: isoTime(firedAtMs),
    })),
    faults_24h: report.faults,
    removed_symbols: report.removed,
    last_run: report.lastRun === null ? null : runDocument(report.lastRun),
  },
  text: () => statusText(pipeline.lake.root, report),
});

const COLUMNS = ['exchange', 'interval', 'symbols', 'first day', 'last day', 'present', 'pending', 'quarantined'];

function statusText(root: string, { totals, firing, faults, removed, lastRun }: StatusReport): string {
  const alerts = firing.map(({ level, fingerprint }) => `[${level.toUpperCase()}] ${fingerprint}`);
  const off = removed.map((one) => `${one.exchange} ${one.symbol} (${one.reason})`);
  return [
    `data     ${root}`,
    totals.length === 0
      ? 'stored   nothing yet: candlekeep run'
      : table(
          COLUMNS,
          totals.map((one) => [
            one.exchange,
            one.interval,
            one.symbols,
            one.firstDay,
            one.lastDay,
            one.present,
            one.pending,
            one.quarantined,
          ]),
        ),
    `alerts   ${alerts.length === 0 ? 'nothing fires' : alerts.join(', ')}`,
    `faults   ${faults.map((one) => `${one.code} ${one.count}`).join(', ') || 'none in the last 24 hours'}`,
    ...(off.length === 0 ? [] : [`removed  ${off.join(', ')}`]),
    lastRun === null
      ? 'last run none'
      : `last run ${lastRun.id} ${lastRun.outcome ?? lastRun.status}, ${count(lastRun.assets.length, 'asset')}`,
  ].join('\n');
}
