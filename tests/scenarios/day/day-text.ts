import type { DayReport } from './day.ts';

const clockText = (timeMs: number): string => new Date(timeMs).toISOString().slice(5, 16).replace('T', ' ');
const minutes = (ms: number): string => `${(ms / 60_000).toFixed(1)} min`;
const counted = (names: readonly string[]): string =>
  [...Map.groupBy(names, (name) => name)]
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .map(([name, own]) => `${name} ${own.length}`)
    .join(', ');

/** A summary of the day for the test's output. */
export function dayText(day: DayReport): string {
  const { totals, gaps, discrepancies } = day.report;
  const sum = (key: 'recorded' | 'lost' | 'doubled' | 'invented' | 'wrong'): number =>
    day.comparisons.reduce((all, one) => all + one[key], 0);
  const struck = day.requests.filter(({ fault }) => fault !== null);
  const retries = day.runs.filter(({ trigger }) => trigger === 'retry');
  const kinds = new Set(struck.map(({ fault }) => JSON.stringify(fault?.kind))).size;
  const whileClosed = day.requests.filter(({ sentWhileClosed }) => sentWhileClosed).length;
  const overLimit = day.requests.filter(({ overLimit: isOver }) => isOver).length;
  const resolved = day.slack.filter(({ title }) => title.startsWith('[RESOLVED]')).length;
  const { expected, present, no_trades, outage, quarantined, pending } = totals;
  const lateness = day.lateness.map(
    ({ exchange, lateMs, atMs }) => `${exchange} ${minutes(lateMs)} at ${clockText(atMs)}`,
  );
  return [
    `24 hours of a daemon under faults (seed ${day.seed})`,
    `process        killed ${clockText(day.killedAtMs)}, started again ${clockText(day.restartedAtMs)}`,
    `requests       ${day.requests.length} seen, ${struck.length} spoilt (${kinds} kinds of fault)`,
    `gates, limits  ${whileClosed} requests while a venue was closed, ${overLimit} over a limit`,
    `kinds          ${counted(struck.map(({ fault }) => fault?.kind ?? ''))}`,
    `faults met     ${day.met.map(({ code, count }) => `${code} ${count}`).join(', ')}`,
    `runs           ${counted(day.runs.map(({ trigger, outcome }) => `${trigger} ${outcome ?? 'lost'}`))}`,
    ...retries.map(
      (run) =>
        `retry          ${clockText(run.startedAtMs ?? 0)} ${run.id} retry_of=${run.tags['retry_of']} ` +
        `retry_count=${run.tags['retry_count']} ${run.outcome}`,
    ),
    `cells          last accounted for by: ${day.cells.map(({ trigger, cells }) => `${trigger} ${cells}`).join(', ')}`,
    `notified       ${day.slack.length} messages, ${resolved} of them resolved; ${day.pages.length} pages`,
    ...day.slack.map(({ atMs, title }) => `               ${clockText(atMs)} ${title}`),
    ...day.pages.map((page) => `page           ${page}`),
    `worst lateness ${lateness.join(', ')}`,
    `account        ${expected} expected = ${present} present + ${no_trades} no trades + ${outage} outage + ` +
      `${quarantined} quarantined + ${pending} pending; ${gaps.length} gaps, ${discrepancies.length} discrepancies`,
    ...gaps
      .filter(({ state }) => state === 'pending')
      .map(
        (gap) =>
          `pending        ${gap.exchange} ${gap.symbol} ${clockText(gap.fromMs)} +${gap.candles} ${gap.code} ` +
          `${gap.cause} next ${gap.nextAttemptAtMs === null ? '-' : clockText(gap.nextAttemptAtMs)}`,
      ),
    `truth          ${sum('recorded')} candles of ${day.comparisons.length} series, the open day included: ` +
      `${sum('lost')} lost, ${sum('doubled')} doubled, ${sum('invented')} invented, ${sum('wrong')} wrong`,
  ].join('\n');
}
