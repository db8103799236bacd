import { expect, test } from 'vitest';
import { balances } from '../../support/balances.ts';
import { runDay } from '../day/day.ts';
import { dayText } from '../day/day-text.ts';
import { FAULT_SCHEDULE } from '../day/fault-schedule.ts';

/** RULE_FRESHNESS pages above this. */
const LATE_MS_MAX = 2 * 3_600_000;
const SEED = process.env['CANDLEKEEP_SEED'] ?? 'day';

test(`a day of every fault and a kill: every candle arrives in time, correct and once, without a page (seed ${SEED})`, {
  timeout: 180_000,
}, async () => {
  const day = await runDay(SEED);
  console.log(dayText(day));

  const {
    report: { totals, gaps, discrepancies },
    comparisons,
    requests,
    runs,
  } = day;
  const occurred = new Set(requests.map(({ fault }) => fault?.kind));
  expect(
    FAULT_SCHEDULE.filter(({ fault }) => !occurred.has(fault.kind)),
    'faults that never occurred',
  ).toEqual([]);
  expect(requests.filter(({ sentWhileClosed, overLimit }) => sentWhileClosed || overLimit)).toEqual([]);

  for (const { exchange, symbol, recorded, ...differences } of comparisons) {
    expect(differences, `${exchange} ${symbol}`).toEqual({ lost: 0, doubled: 0, invented: 0, wrong: 0 });
    expect(recorded).toBeGreaterThan(3 * 24);
  }
  expect(balances(totals)).toBe(true);
  expect(totals).toMatchObject({ expected: 3 * 24 * comparisons.length, outage: 0, quarantined: 0 });
  // Pending are only hours without a trade, which Coinbase omits and which are not settled yet.
  for (const gap of gaps.filter(({ state }) => state === 'pending'))
    expect(gap).toMatchObject({
      exchange: 'coinbase',
      candles: 1,
      code: 'ROWS_MISSING',
      cause: expect.any(String),
      nextAttemptAtMs: expect.any(Number),
    });
  expect(discrepancies).toEqual([]);

  expect(day.lateness.map(({ exchange }) => exchange).toSorted()).toEqual(['binance', 'coinbase', 'okx']);
  expect(Math.max(...day.lateness.map(({ lateMs }) => lateMs))).toBeLessThan(LATE_MS_MAX);

  expect(runs.filter(({ error }) => error?.code === 'RUN_CRASHED')).toHaveLength(1);
  const retried = runs.filter(
    ({ trigger, outcome, tags }) =>
      trigger === 'retry' && outcome === 'complete' && runs.some(({ id }) => id === tags['retry_of']),
  );
  expect(retried.length, 'automatic retries that completed the work of their run').toBeGreaterThan(0);
  expect(runs.filter(({ trigger, outcome }) => trigger === 'heal' && outcome === 'complete').length).toBeGreaterThan(0);
  expect(day.cells.find(({ trigger }) => trigger === 'heal')?.cells, 'cells that healing completed').toBeGreaterThan(0);

  expect(day.pages).toEqual([]);
  expect(day.slack.filter(({ title }) => title.startsWith('[CRITICAL]'))).toEqual([]);
  expect(
    day.firing.filter((code) => code !== 'ROWS_MISSING'),
    'alerts that still fire',
  ).toEqual([]);
});
