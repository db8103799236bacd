import type { GapState } from '../../../domain/gap.ts';
import type { GapEvidence } from './gap-evidence.ts';
import { LIQUID_SYMBOLS_MIN } from './exchange-stall.ts';

/** The state of the candles in the account; `not_due` candles were never expected and are in no account. */
export type VerdictState = Exclude<GapState, 'quarantined'> | 'not_due';

interface GapRule {
  readonly state: VerdictState;
  /** Holes, flat rows, or both. */
  readonly rows: GapEvidence['rows'] | 'any';
  readonly says: string;
  readonly applies: (evidence: GapEvidence) => boolean;
}

/** This venue stalled, and not every other venue with responses for that time did. */
const isOwnStall = ({ silence }: GapEvidence): boolean =>
  silence !== null && (silence.others.trading.length > 0 || silence.others.silent.length === 0);
const isOwnStallConfirmed = (evidence: GapEvidence): boolean =>
  isOwnStall(evidence) && evidence.silence?.isConfirmed === true;
const isOwnStallOpen = (evidence: GapEvidence): boolean =>
  isOwnStall(evidence) && evidence.silence?.isConfirmed === false;

/** Where empty candles are omitted, one attempt after they settled is enough for a market that pauses anyway. */
const isSeenEnough = ({ isSeenTwice, emptyCandles, isSettled, isLiquid, looks }: GapEvidence): boolean =>
  isSeenTwice || (emptyCandles === 'omitted' && isSettled && !isLiquid && looks !== null && looks.between > 0);

/**
 * Why candles are missing. The first rule that applies decides, so the order is part of the rules: candles that were
 * never due, a person's decision, faults that may be ours, facts about the venue, and only then a quiet market.
 */
export const GAP_RULES = {
  not_listed: {
    state: 'not_due',
    rows: 'missing',
    says: 'before the first candle of the series',
    applies: ({ life }) => life === 'not_listed',
  },
  accepted: {
    state: 'outage',
    rows: 'missing',
    says: 'a person accepted the gap',
    applies: ({ accepted }) => accepted !== null,
  },
  pagination: {
    state: 'pending',
    rows: 'missing',
    says: 'one of several equally spaced holes: paging lost a candle at each page border',
    applies: ({ spacing }) => spacing !== null,
  },
  known_incident: {
    state: 'outage',
    rows: 'any',
    says: 'the shipped list of incidents covers it',
    applies: ({ incident }) => incident !== null,
  },
  halt: {
    state: 'outage',
    rows: 'flat',
    says: 'flat rows without volume while the liquid symbols of the venue stopped trading together',
    applies: isOwnStallConfirmed,
  },
  venue_outage: {
    state: 'outage',
    rows: 'missing',
    says: 'missing while the liquid symbols of the venue stopped trading together',
    applies: isOwnStallConfirmed,
  },
  second_look: {
    state: 'pending',
    rows: 'missing',
    says: 'not requested twice yet, or in a stall of the venue that is not confirmed yet',
    applies: (evidence) => !isSeenEnough(evidence) || isOwnStallOpen(evidence),
  },
  page_edge: {
    state: 'pending',
    rows: 'missing',
    says: 'no response had a row on both sides of it: paging may have lost it',
    applies: ({ isAtPageEdge }) => isAtPageEdge,
  },
  cut_candle: {
    state: 'outage',
    rows: 'missing',
    says: 'the venue closed the candle before it early: this market was halted',
    applies: ({ cut, liquidSymbols }) => cut !== null && liquidSymbols >= LIQUID_SYMBOLS_MIN,
  },
  thin_market: {
    state: 'no_trades',
    rows: 'missing',
    says: 'the venue omits candles without trades, and this market pauses like this',
    applies: ({ emptyCandles, isBounded, isLiquid, isPause }) =>
      emptyCandles === 'omitted' && isBounded && (isPause || !isLiquid),
  },
  few_liquid_symbols: {
    state: 'pending',
    rows: 'missing',
    says: 'own data prove nothing: fewer than three liquid symbols of this venue are stored',
    applies: ({ liquidSymbols }) => liquidSymbols < LIQUID_SYMBOLS_MIN,
  },
  unexplained: {
    state: 'pending',
    rows: 'missing',
    says: 'no evidence explains it',
    applies: () => true,
  },
} as const satisfies Readonly<Record<string, GapRule>>;

export type GapCause = keyof typeof GAP_RULES;

const RULES = Object.entries(GAP_RULES) as readonly (readonly [GapCause, GapRule])[];

/** The cause of a gap; null for flat rows of a quiet market, whose candles are present. */
export const causeOf = (evidence: GapEvidence): GapCause | null =>
  RULES.find(([, rule]) => (rule.rows === 'any' || rule.rows === evidence.rows) && rule.applies(evidence))?.[0] ?? null;

export const stateOf = (cause: GapCause): VerdictState => GAP_RULES[cause].state;
