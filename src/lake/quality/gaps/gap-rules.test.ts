import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GapEvidence } from './gap-evidence.ts';
import { causeOf, GAP_RULES, stateOf, type GapCause } from './gap-rules.ts';

const LOOKS = { answers: 2, between: 2, firstAtMs: 0, lastAtMs: 21_600_000 };
/** A short hole of a liquid market on a venue that omits empty candles, requested twice. */
const SEEN: GapEvidence = {
  rows: 'missing',
  emptyCandles: 'omitted',
  life: 'listed',
  looks: LOOKS,
  isSeenTwice: true,
  isSettled: false,
  isAtPageEdge: false,
  isBounded: true,
  tradedShare: 1,
  isLiquid: true,
  isPause: true,
  liquidSymbols: 3,
  silence: null,
  incident: null,
  spacing: null,
  cut: null,
  accepted: null,
};
const silence = (over: Partial<NonNullable<GapEvidence['silence']>> = {}): GapEvidence['silence'] => ({
  silent: ['A', 'B', 'C'],
  trading: [],
  others: { trading: ['okx'], silent: [] },
  isConfirmed: true,
  ...over,
});
const SPACING = { periodCandles: 301, holes: 24 };
const filled: Partial<GapEvidence> = { emptyCandles: 'flat' };

test.each<readonly [GapCause, string, Partial<GapEvidence>]>([
  [
    'not_listed',
    'before the first candle, whatever else is known',
    { life: 'not_listed', spacing: SPACING, incident: 'x' },
  ],
  [
    'accepted',
    'a person accepted it, even for a hole of ours',
    { accepted: { reason: 'r', by: 'b', atMs: 1 }, spacing: SPACING },
  ],
  ['pagination', 'equal distances, even inside an incident', { spacing: SPACING, incident: 'x' }],
  ['pagination', 'equal distances in all symbols', { spacing: SPACING, silence: silence() }],
  [
    'known_incident',
    'in the shipped list, with one attempt and one symbol',
    { incident: 'x', isSeenTwice: false, liquidSymbols: 1 },
  ],
  ['venue_outage', 'the venue stood still', { silence: silence() }],
  [
    'venue_outage',
    'the venue stalled and no other venue has responses',
    { silence: silence({ others: { trading: [], silent: [] } }) },
  ],
  [
    'venue_outage',
    'one other venue traded, although another stalled as well',
    { silence: silence({ others: { trading: ['okx'], silent: ['coinbase'] } }) },
  ],
  [
    'venue_outage',
    'a thin symbol requested once, in a certain stall',
    { silence: silence(), isSeenTwice: false, isLiquid: false },
  ],
  ['second_look', 'the silence is not certain yet', { silence: silence({ isConfirmed: false }) }],
  [
    'thin_market',
    'every venue was silent: then it was calm',
    { silence: silence({ others: { trading: [], silent: ['okx'] } }) },
  ],
  [
    'thin_market',
    'every venue was silent: an unconfirmed stall changes nothing',
    { silence: silence({ others: { trading: [], silent: ['okx'] }, isConfirmed: false }) },
  ],
  [
    'unexplained',
    'every venue was silent, and this one fills empty candles',
    { ...filled, silence: silence({ others: { trading: [], silent: ['okx'] } }) },
  ],
  ['second_look', 'requested once', { isSeenTwice: false }],
  [
    'second_look',
    'a liquid symbol is requested twice, however old the candle is',
    { isSeenTwice: false, isSettled: true },
  ],
  [
    'second_look',
    'an old hole of a thin symbol at the edge of its only response',
    { isSeenTwice: false, isSettled: true, isLiquid: false, looks: { ...LOOKS, between: 0 } },
  ],
  [
    'thin_market',
    'an old hole of a thin symbol between rows: one attempt is enough',
    { isSeenTwice: false, isSettled: true, isLiquid: false },
  ],
  [
    'second_look',
    'the same on a venue that fills empty candles',
    { ...filled, isSeenTwice: false, isSettled: true, isLiquid: false },
  ],
  ['page_edge', 'never between rows', { isAtPageEdge: true, isLiquid: false }],
  ['cut_candle', 'the candle before it was cut', { ...filled, cut: { openTimeMs: 0, closeTimeMs: 1 } }],
  [
    'few_liquid_symbols',
    'the candle before it was cut, but one symbol alone does not tell',
    { ...filled, cut: { openTimeMs: 0, closeTimeMs: 1 }, liquidSymbols: 1 },
  ],
  ['thin_market', 'a short pause', {}],
  ['thin_market', 'a long pause of a thin symbol', { isPause: false, isLiquid: false, liquidSymbols: 0 }],
  ['unexplained', 'a liquid symbol does not pause so long', { isPause: false }],
  ['unexplained', 'no row after it yet', { isBounded: false, isLiquid: false }],
  ['few_liquid_symbols', 'a venue that fills empty candles, two symbols kept', { ...filled, liquidSymbols: 2 }],
  ['unexplained', 'a venue that fills empty candles, the others traded', filled],
])('%s: %s', (cause, _, over) => expect(causeOf({ ...SEEN, ...over })).toBe(cause));

const FLAT: GapEvidence = { ...SEEN, ...filled, rows: 'flat', looks: null, isSeenTwice: false };
test('flat rows are an outage during a stall or an incident, and present otherwise', () => {
  expect(causeOf({ ...FLAT, silence: silence() })).toBe('halt');
  expect(causeOf({ ...FLAT, incident: 'x' })).toBe('known_incident');
  for (const over of [
    {},
    { silence: silence({ isConfirmed: false }) },
    { accepted: { reason: 'r', by: 'b', atMs: 1 } },
  ])
    expect(causeOf({ ...FLAT, ...over })).toBeNull();
});

const nullOr = <T>(value: T) => fc.constantFrom(null, value);
const anyEvidence: fc.Arbitrary<GapEvidence> = fc.record({
  rows: fc.constantFrom('missing', 'flat'),
  emptyCandles: fc.constantFrom('flat', 'omitted'),
  life: fc.constantFrom('not_listed', 'listed'),
  looks: fc.record({ answers: fc.nat(3), between: fc.nat(2), firstAtMs: fc.nat(9), lastAtMs: fc.nat(9) }),
  isSeenTwice: fc.boolean(),
  isSettled: fc.boolean(),
  isAtPageEdge: fc.boolean(),
  isBounded: fc.boolean(),
  tradedShare: nullOr(0.5),
  isLiquid: fc.boolean(),
  isPause: fc.boolean(),
  liquidSymbols: fc.nat(5),
  silence: fc.constantFrom(
    null,
    silence(),
    silence({ isConfirmed: false }),
    silence({ others: { trading: [], silent: ['okx'] } }),
  ),
  incident: nullOr('x'),
  spacing: nullOr(SPACING),
  cut: nullOr({ openTimeMs: 0, closeTimeMs: 1 }),
  accepted: nullOr({ reason: 'r', by: 'b', atMs: 1 }),
});
const isNoTrades = (evidence: GapEvidence): boolean => stateOf(causeOf(evidence) ?? 'unexplained') === 'no_trades';

test('a gap that may be ours, or on a venue that fills empty candles, is never no_trades', () => {
  fc.assert(
    fc.property(anyEvidence, (evidence) => {
      const isSuspect = evidence.spacing !== null || evidence.isAtPageEdge || evidence.emptyCandles === 'flat';
      expect(isSuspect && isNoTrades(evidence)).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('a missing candle always has a cause, and stored evidence gives the same one', () => {
  fc.assert(
    fc.property(anyEvidence, (evidence) => {
      const cause = causeOf(evidence);
      if (evidence.rows === 'missing') expect(cause).not.toBeNull();
      expect(causeOf(JSON.parse(JSON.stringify(evidence)) as GapEvidence)).toBe(cause);
    }),
  );
});

test('an outage from own data alone has at least three liquid symbols behind it', () => {
  fc.assert(
    fc.property(anyEvidence, (evidence) => {
      const cause = causeOf(evidence);
      if (cause === 'cut_candle') expect(evidence.liquidSymbols).toBeGreaterThanOrEqual(3);
      if (cause === 'venue_outage' || cause === 'halt')
        expect(evidence.silence?.silent.length).toBeGreaterThanOrEqual(3);
    }),
  );
});

test('every rule has its own sentence', () => {
  expect(new Set(Object.values(GAP_RULES).map(({ says }) => says)).size).toBe(Object.keys(GAP_RULES).length);
});
