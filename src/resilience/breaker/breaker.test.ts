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
const ask = (state: BreakerState, page: string, nowMs: number) =>
  admit(state, { page, nowMs, probeMsMax: PROBE_MS_MAX });

test('ten failed pages in a row over different symbols open it, nine do not', () => {
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

test('more than 80 % of the last twenty pages open it, 80 % do not', () => {
  const pattern = (failed: number): (readonly [string, PageEnd['as']])[] =>
    Array.from({ length: RECENT_PAGES }, (_, at) => ['BTC/USDT', at < failed ? 'REQUEST_TIMEOUT' : 'answered']);
  const rotated = (failed: number) =>
    pattern(failed)
      .toSorted((a, b) => Number(a[1] === 'answered') - Number(b[1] === 'answered'))
      .toReversed();
  expect(ended(rotated(16)).phase).toBe('closed');
  expect(ended(rotated(17)).phase).toBe('open');
});

test('only silence counts: a venue that refuses, limits or misspells is one that answers', () => {
  for (const as of ['NOT_FOUND', 'SCHEMA_MISMATCH', 'REQUEST_REJECTED', 'FORBIDDEN'] as const) {
    expect(ended(Array.from({ length: 40 }, (_, at) => [`S${at}`, as]))).toBe(CLOSED);
  }
  expect(ended([...failing(9, (at) => `S${at}`), ['S9', 'undecided'], ['S10', 'EXCHANGE_SERVER_ERROR']]).phase).toBe(
    'open',
  );
});

test('while it is open every page hears what opened it and when to ask again; then one page probes and the others look again', () => {
  const open = ended(failing(10, (at) => `S${at}`));
  expect(ask(open, 'a', NOW_MS + 1)).toEqual({
    state: open,
    closure: { phase: 'open', code: 'CONNECTION_FAILED', untilMs: NOW_MS + BREAKER_OPEN_MS },
  });
  const { state: probing, closure } = ask(open, 'a', NOW_MS + BREAKER_OPEN_MS);
  expect(closure).toBeNull();
  expect(ask(probing, 'a', NOW_MS + BREAKER_OPEN_MS + 5).closure).toBeNull(); // its next try
  expect(ask(probing, 'b', NOW_MS + BREAKER_OPEN_MS + 5).closure).toEqual({
    phase: 'half-open',
    code: 'CONNECTION_FAILED',
    untilMs: NOW_MS + BREAKER_OPEN_MS + 1_005,
  });
  expect(record(probing, { symbol: 'A', as: 'answered' }, { page: 'b', nowMs: NOW_MS })).toBe(probing); // a page from before
  expect(record(probing, { symbol: 'A', as: 'answered' }, { page: 'a', nowMs: NOW_MS })).toBe(CLOSED);
  expect(record(probing, { symbol: 'A', as: 'NOT_FOUND' }, { page: 'a', nowMs: NOW_MS })).toBe(CLOSED);
});

test('a probe that fails opens it for twice as long, up to a minute; one that is cancelled leaves the next to probe at once', () => {
  let state = ended(failing(10, (at) => `S${at}`));
  let nowMs = NOW_MS;
  const pausesMs: number[] = [];
  for (let probe = 0; probe < 9; probe++) {
    if (state.phase !== 'open') throw new Error('not open');
    pausesMs.push(state.probeAtMs - nowMs);
    nowMs = state.probeAtMs;
    state = record(ask(state, 'p', nowMs).state, { symbol: 'A', as: 'EXCHANGE_SERVER_ERROR' }, { page: 'p', nowMs });
  }
  expect(pausesMs).toEqual([1, 2, 4, 6, 6, 6, 6, 6, 6].map((times) => times * BREAKER_OPEN_MS));
  expect(Math.max(...pausesMs)).toBe(SLEEP_MS_MAX);
  const probing = ask(ended(failing(10, (at) => `S${at}`)), 'p', NOW_MS + BREAKER_OPEN_MS).state;
  const given = record(probing, { symbol: 'A', as: 'undecided' }, { page: 'p', nowMs: NOW_MS + BREAKER_OPEN_MS });
  expect(given).toEqual({ phase: 'open', code: 'CONNECTION_FAILED', openings: 1, probeAtMs: NOW_MS + BREAKER_OPEN_MS });
  expect(ask(given, 'q', NOW_MS + BREAKER_OPEN_MS).closure).toBeNull();
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

test('the probe of a process that died is given up after the longest time a page takes', () => {
  const probing = ask(ended(failing(10, (at) => `S${at}`)), 'dead', NOW_MS + BREAKER_OPEN_MS).state;
  expect(ask(probing, 'b', NOW_MS + BREAKER_OPEN_MS + PROBE_MS_MAX - 1).closure).not.toBeNull();
  expect(ask(probing, 'b', NOW_MS + BREAKER_OPEN_MS + PROBE_MS_MAX).closure).toBeNull();
});

const pageEnd = fc.record({
  symbol: fc.constantFrom('A', 'B', 'C', null),
  as: fc.constantFrom('answered', 'undecided', 'CONNECTION_FAILED', 'REQUEST_TIMEOUT', 'NOT_FOUND'),
}) as fc.Arbitrary<PageEnd>;

test('whatever happens, it is plain data, never admits two probes at once, and an answered probe closes it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(pageEnd, fc.nat(20_000), fc.constantFrom('p', 'q', 'r')), { maxLength: 120 }),
      (steps) => {
        let state: BreakerState = CLOSED;
        let nowMs = NOW_MS;
        for (const [end, passMs, page] of steps) {
          nowMs += passMs;
          const admitted = ask(state, page, nowMs);
          expect(JSON.parse(JSON.stringify(admitted.state))).toEqual(admitted.state);
          if (admitted.state.phase === 'half-open') {
            const { probe } = admitted.state;
            expect(['p', 'q', 'r'].filter((one) => ask(admitted.state, one, nowMs).closure === null)).toEqual([probe]);
            expect(record(admitted.state, { ...end, as: 'answered' }, { page: probe, nowMs })).toBe(CLOSED);
          }
          if (admitted.closure !== null) expect(admitted.closure.untilMs).toBeGreaterThan(nowMs);
          state = admitted.closure === null ? record(admitted.state, end, { page, nowMs }) : admitted.state;
        }
      },
    ),
  );
});
