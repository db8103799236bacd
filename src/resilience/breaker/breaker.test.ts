import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BREAKER_OPEN_MS, SLEEP_MS_MAX } from '../../errors/schedule.ts';
import { admit, CLOSED, record, RECENT_PAGES, type BreakerState } from './breaker.ts';
import type { PageEnd } from '../policies.ts';

const NOW_MS = 1_000_000;
const PROBE_MS_MAX = 310_000;
const ended = (
  ends: readonly (readonly [symbol: string, as: PageEnd['as']])[],
  from: BreakerState = CLOSED,
): BreakerState =>
  ends.reduce((state, [symbol, as], at) => record(state, { symbol, as }, { page: `page ${at}`, nowMs: NOW_MS }), from);
const failing = (pages: number, symbolOf: (at: number) => string): (readonly [string, 'CONNECTION_FAILED'])[] =>
  Array.from({ length: pages }, (_, at) => [symbolOf(at), 'CONNECTION_FAILED']);
const admitPage = (state: BreakerState, page: string, nowMs: number) =>
  admit(state, { page, nowMs, probeMsMax: PROBE_MS_MAX });

test('ten failed pages in a row over different symbols open the breaker, nine do not', () => {
  expect(ended(failing(9, (at) => `S${at}`)).phase).toBe('closed');
  expect(ended(failing(10, (at) => `S${at}`))).toEqual({
    phase: 'open',
    code: 'CONNECTION_FAILED',
    openings: 1,
    probeAtMs: NOW_MS + BREAKER_OPEN_MS,
  });
});

test('ten failed pages of one symbol say nothing about the venue', () => {
  expect(ended(failing(10, () => 'BTC/USDT')).phase).toBe('closed');
});

test('more than 80 % failures among the last twenty pages open the breaker, 80 % do not', () => {
  const pattern = (failed: number): (readonly [string, PageEnd['as']])[] =>
    Array.from({ length: RECENT_PAGES }, (_, at) => ['BTC/USDT', at < failed ? 'REQUEST_TIMEOUT' : 'answered']);
  const rotated = (failed: number) =>
    pattern(failed)
      .toSorted((a, b) => Number(a[1] === 'answered') - Number(b[1] === 'answered'))
      .toReversed();
  expect(ended(rotated(16)).phase).toBe('closed');
  expect(ended(rotated(17)).phase).toBe('open');
});

test('only missing responses count: a venue that refuses a request or sends a malformed body does respond', () => {
  for (const as of ['NOT_FOUND', 'SCHEMA_MISMATCH', 'REQUEST_REJECTED', 'FORBIDDEN'] as const) {
    expect(ended(Array.from({ length: 40 }, (_, at) => [`S${at}`, as]))).toBe(CLOSED);
  }
  expect(ended([...failing(9, (at) => `S${at}`), ['S9', 'undecided'], ['S10', 'EXCHANGE_SERVER_ERROR']]).phase).toBe(
    'open',
  );
});

test('while open it gives each page its code and the end of its pause; then one page probes, others wait', () => {
  const open = ended(failing(10, (at) => `S${at}`));
  expect(admitPage(open, 'a', NOW_MS + 1)).toEqual({
    state: open,
    closure: { phase: 'open', code: 'CONNECTION_FAILED', untilMs: NOW_MS + BREAKER_OPEN_MS },
  });
  const { state: probing, closure } = admitPage(open, 'a', NOW_MS + BREAKER_OPEN_MS);
  expect(closure).toBeNull();
  expect(admitPage(probing, 'a', NOW_MS + BREAKER_OPEN_MS + 5).closure).toBeNull(); // the next attempt of the probe
  expect(admitPage(probing, 'b', NOW_MS + BREAKER_OPEN_MS + 5).closure).toEqual({
    phase: 'half-open',
    code: 'CONNECTION_FAILED',
    untilMs: NOW_MS + BREAKER_OPEN_MS + 1_005,
  });
  // A page that was sent before the breaker opened.
  expect(record(probing, { symbol: 'A', as: 'answered' }, { page: 'b', nowMs: NOW_MS })).toBe(probing);
  expect(record(probing, { symbol: 'A', as: 'answered' }, { page: 'a', nowMs: NOW_MS })).toBe(CLOSED);
  expect(record(probing, { symbol: 'A', as: 'NOT_FOUND' }, { page: 'a', nowMs: NOW_MS })).toBe(CLOSED);
});

test('a failed probe doubles the pause, up to a minute; after a cancelled probe the next page probes', () => {
  let state = ended(failing(10, (at) => `S${at}`));
  let nowMs = NOW_MS;
  const pausesMs: number[] = [];
  for (let probe = 0; probe < 9; probe++) {
    if (state.phase !== 'open') throw new Error('not open');
    pausesMs.push(state.probeAtMs - nowMs);
    nowMs = state.probeAtMs;
    state = record(
      admitPage(state, 'p', nowMs).state,
      { symbol: 'A', as: 'EXCHANGE_SERVER_ERROR' },
      { page: 'p', nowMs },
    );
  }
  expect(pausesMs).toEqual([1, 2, 4, 6, 6, 6, 6, 6, 6].map((times) => times * BREAKER_OPEN_MS));
  expect(Math.max(...pausesMs)).toBe(SLEEP_MS_MAX);
  const probing = admitPage(ended(failing(10, (at) => `S${at}`)), 'p', NOW_MS + BREAKER_OPEN_MS).state;
  const cancelled = record(probing, { symbol: 'A', as: 'undecided' }, { page: 'p', nowMs: NOW_MS + BREAKER_OPEN_MS });
  expect(cancelled).toEqual({
    phase: 'open',
    code: 'CONNECTION_FAILED',
    openings: 1,
    probeAtMs: NOW_MS + BREAKER_OPEN_MS,
  });
  expect(admitPage(cancelled, 'q', NOW_MS + BREAKER_OPEN_MS).closure).toBeNull();
});

test('a page that ends while the breaker is open changes nothing', () => {
  const open = ended(failing(10, (at) => `S${at}`));
  for (const as of ['answered', 'CONNECTION_FAILED'] as const)
    expect(record(open, { symbol: 'A', as }, { page: 'late', nowMs: NOW_MS })).toBe(open);
});

test('a failed page is forgotten after twenty others', () => {
  const failedOnce = ended(failing(1, () => 'A'));
  const answered = (pages: number) =>
    ended(
      Array.from({ length: pages }, () => ['A', 'answered'] as const),
      failedOnce,
    );
  expect(answered(RECENT_PAGES - 1)).not.toBe(CLOSED);
  expect(answered(RECENT_PAGES)).toBe(CLOSED);
});

test('the probe of a process that died is abandoned after the maximum duration of a page', () => {
  const probing = admitPage(ended(failing(10, (at) => `S${at}`)), 'dead', NOW_MS + BREAKER_OPEN_MS).state;
  expect(admitPage(probing, 'b', NOW_MS + BREAKER_OPEN_MS + PROBE_MS_MAX - 1).closure).not.toBeNull();
  expect(admitPage(probing, 'b', NOW_MS + BREAKER_OPEN_MS + PROBE_MS_MAX).closure).toBeNull();
});

const pageEnd = fc.record({
  symbol: fc.constantFrom('A', 'B', 'C', null),
  as: fc.constantFrom('answered', 'undecided', 'CONNECTION_FAILED', 'REQUEST_TIMEOUT', 'NOT_FOUND'),
}) as fc.Arbitrary<PageEnd>;

test('the state is always plain data, two probes never overlap, and a probe with a response closes it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(pageEnd, fc.nat(20_000), fc.constantFrom('p', 'q', 'r')), { maxLength: 120 }),
      (steps) => {
        let state: BreakerState = CLOSED;
        let nowMs = NOW_MS;
        for (const [end, passMs, page] of steps) {
          nowMs += passMs;
          const admitted = admitPage(state, page, nowMs);
          expect(JSON.parse(JSON.stringify(admitted.state))).toEqual(admitted.state);
          if (admitted.state.phase === 'half-open') {
            const { probe } = admitted.state;
            expect(['p', 'q', 'r'].filter((one) => admitPage(admitted.state, one, nowMs).closure === null)).toEqual([
              probe,
            ]);
            expect(record(admitted.state, { ...end, as: 'answered' }, { page: probe, nowMs })).toBe(CLOSED);
          }
          if (admitted.closure !== null) expect(admitted.closure.untilMs).toBeGreaterThan(nowMs);
          state = admitted.closure === null ? record(admitted.state, end, { page, nowMs }) : admitted.state;
        }
      },
    ),
  );
});
