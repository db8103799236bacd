import type { DayReport } from './day.ts';

const clockText = (timeMs: number): string => new Date(timeMs).toISOString().slice(5, 16).replace('T', ' ');
const minutes = (ms: number): string => `${(ms / 60_000).toFixed(1)} min`;
const counted = (names: readonly string[]): string =>
  [...Map.groupBy(names, (name) => name)]
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .map(([name, own]) => `${name} ${own.length}`)
    .join(', ');

/** The day in a few lines, for whoever reads the test's output. */
export function dayText(day: DayReport): string {
  const { totals, gaps, discrepancies } = day.report;
  const sum = (key: 'recorded' | 'lost' | 'doubled' | 'invented' | 'wrong'): number =>
    day.comparisons.reduce((all, one) => all + one[key], 0);
  const struck = day.requests.filter(({ fault }) => fault !== null);
  const retries = day.runs.filter(({ trigger }) => trigger === 'retry');
  return [
    `24 hours of a daemon under faults (seed ${day.seed}); killed ${clockText(day.killedAtMs)}, started again ${clockText(day.restartedAtMs)}`,
    `requests       ${day.requests.length} seen, ${struck.length} spoilt (${new Set(struck.map(({ fault }) => JSON.stringify(fault?.kind))).size} kinds of fault), ${day.requests.filter(({ sentWhileClosed }) => sentWhileClosed).length} while a venue was closed, ${day.requests.filter(({ overLimit }) => overLimit).length} over a limit`,
    `kinds          ${counted(struck.map(({ fault }) => fault?.kind ?? ''))}`,
    `faults met     ${day.met.map(({ code, count }) => `${code} ${count}`).join(', ')}`,
    `runs           ${counted(day.runs.map(({ trigger, outcome }) => `${trigger} ${outcome ?? 'lost'}`))}`,
    ...retries.map(
      (run) =>
        `retry          ${clockText(run.startedAtMs ?? 0)} ${run.id} retry_of=${run.tags['retry_of']} retry_count=${run.tags['retry_count']} ${run.outcome}`,
    ),
    `cells          last accounted for by: ${day.cells.map(({ trigger, cells }) => `${trigger} ${cells}`).join(', ')}`,
    `told           ${day.slack.length} messages, ${day.slack.filter(({ title }) => title.startsWith('[RESOLVED]')).length} of them that it is over; ${day.pages.length} pages`,
    ...day.slack.map(({ atMs, title }) => `               ${clockText(atMs)} ${title}`),
    ...day.pages.map((page) => `page           ${page}`),
    `worst lateness ${day.lateness.map(({ exchange, lateMs, atMs }) => `${exchange} ${minutes(lateMs)} at ${clockText(atMs)}`).join(', ')}`,
    `account        ${totals.expected} expected = ${totals.present} present + ${totals.no_trades} no trades + ${totals.outage} outage + ${totals.quarantined} quarantined + ${totals.pending} pending; ${gaps.length} gaps, ${discrepancies.length} discrepancies`,
    ...gaps
      .filter(({ state }) => state === 'pending')
      .map(
        (gap) =>
          `pending        ${gap.exchange} ${gap.symbol} ${clockText(gap.fromMs)} +${gap.candles} ${gap.code} ${gap.cause} next ${gap.nextAttemptAtMs === null ? '-' : clockText(gap.nextAttemptAtMs)}`,
      ),
    `truth          ${sum('recorded')} candles of ${day.comparisons.length} series, the open day included: ${sum('lost')} lost, ${sum('doubled')} doubled, ${sum('invented')} invented, ${sum('wrong')} wrong`,
  ].join('\n');
}
