import type { GapState } from '../../../domain/account.ts';
import type { GapEvidence } from './gap-evidence.ts';
import { LIQUID_SYMBOLS_MIN } from './exchange-stall.ts';

/** What the account says of the candles; `not_due` ones were never expected and stand in no account. */
export type VerdictState = Exclude<GapState, 'quarantined'> | 'not_due';

interface GapRule {
  readonly state: VerdictState;
  /** Holes, flat rows, or both. */
  readonly rows: GapEvidence['rows'] | 'any';
  readonly says: string;
  readonly applies: (evidence: GapEvidence) => boolean;
}

/** This venue stood still, and not every venue that was asked. */
const isOwnSilence = ({ silence }: GapEvidence): boolean =>
  silence !== null && (silence.others.trading.length > 0 || silence.others.silent.length === 0);
const isOwnSilenceConfirmed = (evidence: GapEvidence): boolean =>
  isOwnSilence(evidence) && evidence.silence?.isConfirmed === true;
const isOwnSilenceOpen = (evidence: GapEvidence): boolean =>
  isOwnSilence(evidence) && evidence.silence?.isConfirmed === false;

/** On a venue that leaves out empty candles, one look at candles that can no longer change is enough for a market that pauses anyway. */
const isSeenEnough = ({ isSeenTwice, emptyCandles, isSettled, isLiquid, looks }: GapEvidence): boolean =>
  isSeenTwice || (emptyCandles === 'omitted' && isSettled && !isLiquid && looks !== null && looks.between > 0);

/**
 * Why candles are missing. The first rule that applies decides, so the order is part of the rules: what
 * was never due, a person's word, what may be our own doing, what is known about the venue, and only at the end
 * what may be called calm.
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
    says: 'a person ended the wait',
    applies: ({ accepted }) => accepted !== null,
  },
  pagination: {
    state: 'pending',
    rows: 'missing',
    says: 'one of a row of holes at equal distances: paging lost a candle at each page border',
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
    says: 'flat rows without volume while the liquid symbols of the venue stood still together',
    applies: isOwnSilenceConfirmed,
  },
  venue_outage: {
    state: 'outage',
    rows: 'missing',
    says: 'missing while the liquid symbols of the venue stood still together',
    applies: isOwnSilenceConfirmed,
  },
  second_look: {
    state: 'pending',
    rows: 'missing',
    says: 'not asked twice yet, or in a silence of the venue that was not',
    applies: (evidence) => !isSeenEnough(evidence) || isOwnSilenceOpen(evidence),
  },
  page_edge: {
    state: 'pending',
    rows: 'missing',
    says: 'no answer had a row on both sides of it: paging may have lost it',
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
    says: 'the venue leaves out candles in which nobody traded, and this market pauses like this',
    applies: ({ emptyCandles, isBounded, isLiquid, isPause }) =>
      emptyCandles === 'omitted' && isBounded && (isPause || !isLiquid),
  },
  few_liquid_symbols: {
    state: 'pending',
    rows: 'missing',
    says: 'own data cannot tell: fewer than three liquid symbols of this venue are kept',
    applies: ({ liquidSymbols }) => liquidSymbols < LIQUID_SYMBOLS_MIN,
  },
  unexplained: {
    state: 'pending',
    rows: 'missing',
    says: 'nothing known explains it',
    applies: () => true,
  },
} as const satisfies Readonly<Record<string, GapRule>>;

export type GapCause = keyof typeof GAP_RULES;

const RULES = Object.entries(GAP_RULES) as readonly (readonly [GapCause, GapRule])[];

/** The cause of a gap; null for flat rows that are only a calm time: those candles are present. */
export const causeOf = (evidence: GapEvidence): GapCause | null =>
  RULES.find(([, rule]) => (rule.rows === 'any' || rule.rows === evidence.rows) && rule.applies(evidence))?.[0] ?? null;

export const stateOf = (cause: GapCause): VerdictState => GAP_RULES[cause].state;
