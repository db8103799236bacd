import type { Random } from '../../../src/platform/ports/random.ts';
import { randomInt } from '../../../src/platform/seeded-random.ts';
import { requestPages, holesIn, type FetchedPage, type Span } from './page-requests.ts';
import { KINDS, pick, type Base, type Draft, type PlantedIncident, type Question, type Table } from './gap-kinds.ts';
import type { RecordedCandle } from './recordings.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';

/**
 * Plants gaps into recorded series, and derives what the pipeline would know about each. Shares no code with the
 * classification under test.
 */

interface QuizSeries {
  readonly symbol: string;
  readonly rows: readonly RecordedCandle[];
  readonly responses: readonly FetchedPage[];
  readonly listedFromMs: number | null;
  readonly accepted: readonly (Span & { readonly reason: string; readonly by: string; readonly atMs: number })[];
}

export interface Round {
  readonly base: Base;
  readonly classified: Span;
  readonly rowsPerPageMax: number;
  readonly series: readonly QuizSeries[];
  readonly others: readonly {
    readonly exchange: string;
    readonly answered: readonly Span[];
    readonly traded: readonly Span[];
  }[];
  readonly incidents: readonly PlantedIncident[];
  readonly questions: readonly Question[];
}

export const RECHECK_AFTER_MS = 21_600_000;
const HOUR_MS = 3_600_000;

/** Share of candles without a trade that a liquid symbol may have, with a margin. */
const SPARE_SHARE = 0.008;
const TRAILING_MS = 30 * DAY_MS;
/** Candles of a round: the first two thirds are history. */
const CANDLES_MAX = 6_000;
const SLOT_CANDLES_MIN = 120;
const SLOTS_MAX = 10;

/** One venue with a gap in each part of the last third of its time, of the kinds planted least so far. */
export function roundOf(whole: Base, random: Random, plantedBefore: ReadonlyMap<string, number>): Round {
  const { stepMs } = whole;
  const span = partOf(whole, random);
  const base = { ...whole, span };
  const classifiedCandles = Math.floor((span.toMs - span.fromMs) / stepMs / 3);
  const classified = { fromMs: span.toMs - classifiedCandles * stepMs, toMs: span.toMs };
  const drafts = draftsOf(
    base,
    { fromMs: Math.max(span.fromMs, classified.fromMs - TRAILING_MS), toMs: classified.fromMs },
    random,
  );
  const table = {
    random,
    base,
    drafts,
    newcomer: copyOf(drafts, 'NEW/COPY'),
    rowsMax: pick(random, [30, 100, 300, 1_000]) as number,
    isOld: randomInt(random, 2) === 0,
    incidents: [] as PlantedIncident[],
    silentElsewhere: [] as Span[],
  };
  const slots = Math.max(
    1,
    Math.min(2 + randomInt(random, SLOTS_MAX - 1), Math.floor(classifiedCandles / SLOT_CANDLES_MIN)),
  );
  const slotMs = Math.floor(classifiedCandles / slots) * stepMs;
  const questions: Question[] = [];
  for (let at = 0; at < slots; at++) {
    const slot = { fromMs: classified.fromMs + at * slotMs, toMs: classified.fromMs + (at + 1) * slotMs };
    const plantedOf = (kind: string): number =>
      (plantedBefore.get(kind) ?? 0) + questions.filter((one) => one.kind === kind).length;
    const kinds = Object.keys(KINDS)
      .map((kind) => ({ kind, rank: plantedOf(kind) + random.next() }))
      .toSorted((a, b) => a.rank - b.rank);
    for (const { kind } of kinds) {
      const planted = KINDS[kind]?.({ ...table, slot }) ?? null;
      if (planted === null) continue;
      questions.push(...planted.map((one) => ({ kind, ...one })));
      break;
    }
  }
  const used = table.newcomer.listedFromMs === null ? drafts : [...drafts, table.newcomer];
  const fetchedAtMs = span.toMs + (table.isOld ? 400 * DAY_MS : HOUR_MS);
  return {
    base,
    classified,
    rowsPerPageMax: table.rowsMax,
    incidents: table.incidents,
    questions,
    series: used.map((draft) => seriesOf(draft, { base, classified, rowsMax: table.rowsMax, fetchedAtMs })),
    others: othersOf(table),
  };
}

function partOf({ span, stepMs }: Base, random: Random): Span {
  const candles = (span.toMs - span.fromMs) / stepMs;
  const fromMs = span.fromMs + randomInt(random, Math.max(1, candles - CANDLES_MAX)) * stepMs;
  return { fromMs, toMs: Math.min(span.toMs, fromMs + CANDLES_MAX * stepMs) };
}

/** A symbol with a larger share of candles without a trade is certainly not liquid. */
const THIN_SHARE = 0.014;

function draftsOf(base: Base, history: Span, random: Random): Draft[] {
  const { recordings, span, stepMs, emptyCandles } = base;
  const recorded = recordings.map(({ exchange, symbol, rows }): Draft => {
    const own = rows.filter(
      (row) =>
        row.openTimeMs >= span.fromMs && row.openTimeMs < span.toMs && (emptyCandles === 'flat' || row.volume > 0),
    );
    return draftOf(`${exchange}:${symbol}`, own, { history, stepMs, span });
  });
  if (emptyCandles === 'flat') return recorded;
  // No recording of a really thin market exists, so one is thinned out to 50 to 80 % of its candles.
  const share = 0.5 + 0.3 * random.next();
  return [
    ...recorded,
    draftOf(
      'THINNED/COPY',
      [...(recorded[0] as Draft).rows.values()].filter(() => random.next() < share),
      { history, stepMs, span },
    ),
  ];
}

function draftOf(
  symbol: string,
  rows: readonly RecordedCandle[],
  { history, stepMs, span }: { readonly history: Span; readonly stepMs: number; readonly span: Span },
): Draft {
  const calmIn = ({ fromMs, toMs }: Span): number =>
    (toMs - fromMs) / stepMs -
    rows.filter((row) => row.volume > 0 && row.openTimeMs >= fromMs && row.openTimeMs < toMs).length;
  const candles = (history.toMs - history.fromMs) / stepMs;
  // The thirty days before a gap move through the window: all of its quiet candles may lie in them.
  const spare = Math.floor(candles * SPARE_SHARE) - calmIn(span);
  const market = spare > 0 ? 'liquid' : calmIn(history) / candles > THIN_SHARE ? 'thin' : 'either';
  return {
    symbol,
    market,
    spare: Math.max(0, spare),
    rows: new Map(rows.map((row) => [row.openTimeMs, row])),
    paged: [],
    alone: [],
    once: [],
    listedFromMs: null,
    accepted: [],
  };
}

const copyOf = ([first]: readonly Draft[], symbol: string): Draft => ({
  ...(first as Draft),
  symbol,
  rows: new Map(first?.rows),
  market: 'either',
  spare: 0,
  paged: [],
  alone: [],
  once: [],
  accepted: [],
});

interface RequestTerms {
  readonly base: Base;
  readonly classified: Span;
  readonly rowsMax: number;
  readonly fetchedAtMs: number;
}

/** Requests the series page by page, then each hole once more, as the planted gaps demand. */
function seriesOf(
  draft: Draft,
  { base: { span, stepMs }, classified, rowsMax, fetchedAtMs }: RequestTerms,
): QuizSeries {
  const openTimesMs = [...draft.rows.keys()].toSorted((a, b) => a - b);
  const requests = { openTimesMs, stepMs, rowsMax, atMs: fetchedAtMs };
  const responses: FetchedPage[] = [];
  let fromMs = span.fromMs;
  for (const own of draft.paged.toSorted((a, b) => a.fromMs - b.fromMs)) {
    responses.push(
      ...requestPages({ fromMs, toMs: own.fromMs }, requests),
      ...requestPages(own, { ...requests, rowsMax: own.rowsMax }),
    );
    fromMs = own.toMs;
  }
  responses.push(...requestPages({ fromMs, toMs: span.toMs }, requests));
  const isIn = (hole: Span, spans: readonly Span[]): boolean =>
    spans.some((other) => other.fromMs <= hole.fromMs && other.toMs >= hole.toMs);
  for (const hole of holesIn(classified, new Set(openTimesMs), stepMs)) {
    if (isIn(hole, draft.once)) continue;
    const requested = isIn(hole, draft.alone) ? hole : { fromMs: hole.fromMs - stepMs, toMs: hole.toMs + stepMs };
    responses.push(...requestPages(requested, { ...requests, atMs: fetchedAtMs + RECHECK_AFTER_MS }));
  }
  const { symbol, rows, listedFromMs, accepted } = draft;
  return { symbol, rows: [...rows.values()], responses, listedFromMs, accepted };
}

/** Another venue that always trades except where it must not; in half of the rounds it has no responses. */
function othersOf({ random, base: { span, stepMs }, silentElsewhere }: Omit<Table, 'slot'>): Round['others'] {
  if (silentElsewhere.length === 0 && randomInt(random, 2) === 0) return [];
  const silent = silentElsewhere.toSorted((a, b) => a.fromMs - b.fromMs);
  const traded: Span[] = [];
  let fromMs = span.fromMs;
  for (const gap of silent) {
    if (gap.fromMs > fromMs) traded.push({ fromMs, toMs: gap.fromMs });
    fromMs = Math.max(fromMs, gap.toMs);
  }
  return [{ exchange: 'elsewhere', answered: [span], traded: [...traded, { fromMs, toMs: span.toMs + stepMs }] }];
}
