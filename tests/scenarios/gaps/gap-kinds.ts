import type { Random } from '../../../src/platform/ports/random.ts';
import { randomInt } from '../../../src/platform/seeded-random.ts';
import { holesIn, type Span } from './page-requests.ts';
import type { RecordedCandle, Recording } from './recordings.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';

/** A planted gap, and the expected verdict. */
export interface Question {
  /** A key of `KINDS`. */
  readonly kind: string;
  readonly symbol: string;
  readonly spans: readonly Span[];
  /** Null for no gap: the rows are present. */
  readonly state: 'no_trades' | 'outage' | 'pending' | 'not_due' | null;
  /** Accepted causes. */
  readonly causes: readonly string[];
  /** Lost by us or on the way: the verdict `no_trades` would hide it for ever. */
  readonly isOurs: boolean;
}

/** Recorded series that form one venue. */
export interface Base {
  readonly name: string;
  readonly emptyCandles: 'flat' | 'omitted';
  readonly stepMs: number;
  readonly span: Span;
  readonly recordings: readonly Recording[];
}

export interface PlantedIncident extends Span {
  readonly id: string;
  readonly exchange: string;
  readonly symbols: readonly string[] | null;
  readonly source: string;
}

/** One symbol while gaps are planted into it. */
export interface Draft {
  readonly symbol: string;
  readonly rows: Map<number, RecordedCandle>;
  /** `liquid`: trades in more than 99 % of its candles, before and after planting; `thin`: certainly in fewer. */
  readonly market: 'liquid' | 'thin' | 'either';
  /** Candles that may still be removed before it is no longer liquid. */
  spare: number;
  /** Ranges with their own page size. */
  readonly paged: (Span & { readonly rowsMax: number })[];
  /** Holes requested again without their neighbours; the response is empty. */
  readonly alone: Span[];
  /** Holes that are not requested again. */
  readonly once: Span[];
  listedFromMs: number | null;
  readonly accepted: (Span & { reason: string; by: string; atMs: number })[];
}

const HOUR_MS = 3_600_000;

/** One part of the time of one venue, into which a gap is planted. */
export interface Table {
  readonly random: Random;
  readonly base: Base;
  readonly slot: Span;
  readonly drafts: readonly Draft[];
  /** A copy of the first one: a market that may begin inside the time. */
  readonly newcomer: Draft;
  readonly rowsMax: number;
  readonly isOld: boolean;
  readonly incidents: PlantedIncident[];
  readonly silentElsewhere: Span[];
}

type Planted = Omit<Question, 'kind'>;
type Plant = (table: Table) => readonly Planted[] | null;
type ExpectedVerdict = Pick<Question, 'state' | 'causes'> & { readonly isOurs?: boolean };
const verdict = (state: Question['state'], ...causes: readonly string[]): ExpectedVerdict => ({ state, causes });

/** How each kind of gap is planted; null where the base does not allow it. */
export const KINDS: Readonly<Record<string, Plant>> = {
  thin_as_recorded: asRecorded,
  thin_market: (table) =>
    table.base.emptyCandles === 'flat'
      ? null
      : one(table, { market: 'thin', length: 20 }, verdict('no_trades', 'thin_market')),
  thin_market_settled: (table) =>
    table.base.emptyCandles === 'flat' || !table.isOld
      ? null
      : one(table, { market: 'thin', length: 12, fitsPage: true }, verdict('no_trades', 'thin_market'), (draft, gap) =>
          draft.once.push(gap),
        ),
  short_pause: (table) =>
    table.base.emptyCandles === 'flat'
      ? null
      : one(table, { market: 'liquid', length: 2 }, verdict('no_trades', 'thin_market')),
  long_pause: (table) =>
    table.base.emptyCandles === 'flat' || liquid(table).length < 3
      ? null
      : one(table, { market: 'liquid', length: 40, lengthMin: 8 }, verdict('pending', 'unexplained')),
  single_hole: (table) =>
    table.base.emptyCandles === 'omitted' || liquid(table).length < 3
      ? null
      : one(table, { market: 'liquid', length: 30 }, verdict('pending', 'unexplained')),
  few_symbols: (table) =>
    table.base.emptyCandles === 'omitted' || liquid(table).length > 2
      ? null
      : one(table, { length: 30 }, verdict('pending', 'few_liquid_symbols')),
  thin_recent: (table) =>
    table.base.emptyCandles === 'flat' || !isRecent(table)
      ? null
      : one(table, { market: 'thin', length: 20 }, verdict('pending', 'second_look'), (draft, gap) =>
          draft.once.push(gap),
        ),
  outage: (table) => all(table, 'missing', verdict('outage', 'venue_outage')),
  halt: (table) => (table.base.emptyCandles === 'omitted' ? null : all(table, 'flat', verdict('outage', 'halt'))),
  outage_asked_once: outageRequestedOnce,
  silent_everywhere: silentEverywhere,
  known_incident: knownIncident,
  cut_candle: cutCandle,
  calm_flat: calmFlat,
  asked_once: (table) =>
    one(table, { market: 'liquid', length: 10 }, verdict('pending', 'second_look'), (draft, gap) =>
      draft.once.push(gap),
    ),
  accepted: (table) =>
    one(table, { length: 10 }, verdict('outage', 'accepted'), (draft, gap) =>
      draft.accepted.push({ ...gap, reason: 'the venue will not fill it', by: 'operator', atMs: gap.toMs + DAY_MS }),
    ),
  not_listed: notListed,
  ours_page_step: (table) => pageStep(table, [pick(table.random, table.drafts) as Draft]),
  ours_page_step_everywhere: (table) => pageStep(table, table.drafts),
  ours_rows_dropped: rowsDropped,
  ours_cut_page: cutPage,
  ours_empty_page: emptyPage,
};

const between = (random: Random, bounds: { readonly min: number; readonly max: number }): number =>
  bounds.min + randomInt(random, Math.max(1, bounds.max - bounds.min + 1));
export const pick = <T>(random: Random, items: readonly T[]): T | undefined => items[randomInt(random, items.length)];
/** The first responses arrived within a week. */
const isRecent = ({ isOld, slot, base }: Table): boolean =>
  !isOld && base.span.toMs + HOUR_MS < slot.fromMs + 7 * DAY_MS;
const liquid = ({ drafts }: Table): readonly Draft[] => drafts.filter(({ market }) => market === 'liquid');
const canLose = ({ market, spare }: Draft, candles: number): boolean =>
  market === 'thin' || (market === 'liquid' && spare >= candles);
const question = (
  symbol: string,
  spans: readonly Span[],
  { isOurs = false, ...expected }: ExpectedVerdict,
): Planted => ({
  symbol,
  spans,
  isOurs,
  ...expected,
});

/** A range of the slot with room on both sides. */
function place(
  { random, base: { stepMs }, slot }: Table,
  bounds: { readonly min: number; readonly max: number },
): Span {
  const room = (slot.toMs - slot.fromMs) / stepMs;
  const length = Math.min(between(random, bounds), Math.floor(room / 2));
  const fromMs = slot.fromMs + between(random, { min: 8, max: room - length - 8 }) * stepMs;
  return { fromMs, toMs: fromMs + length * stepMs };
}

/** Removes the rows of `span`; false if candles in or beside it are missing or flat already. */
function take(draft: Draft, span: Span, stepMs: number): boolean {
  for (let timeMs = span.fromMs - stepMs; timeMs <= span.toMs; timeMs += stepMs)
    if ((draft.rows.get(timeMs)?.volume ?? 0) === 0) return false;
  for (let timeMs = span.fromMs; timeMs < span.toMs; timeMs += stepMs) draft.rows.delete(timeMs);
  return true;
}

interface Wanted {
  readonly market?: Draft['market'];
  readonly length: number;
  readonly lengthMin?: number;
  readonly fitsPage?: boolean;
}

/** A gap of one symbol. */
function one(
  table: Table,
  wanted: Wanted,
  expected: ExpectedVerdict,
  also: (draft: Draft, gap: Span) => void = () => undefined,
): Planted[] | null {
  const lengthMin = wanted.lengthMin ?? 1;
  const draft = pick(
    table.random,
    table.drafts.filter((draft) => (wanted.market ?? draft.market) === draft.market && canLose(draft, lengthMin)),
  );
  if (draft === undefined) return null;
  const gap = place(table, {
    min: lengthMin,
    max: draft.market === 'thin' ? wanted.length : Math.min(wanted.length, draft.spare),
  });
  if (wanted.fitsPage === true && (draft.paged.length > 0 || crossesPage(gap, table))) return null;
  if (!take(draft, gap, table.base.stepMs)) return null;
  draft.spare -= (gap.toMs - gap.fromMs) / table.base.stepMs;
  also(draft, gap);
  return [question(draft.symbol, [gap], expected)];
}

/** True if no response can have a row on both sides: a page begins or ends in or beside the gap. */
function crossesPage({ fromMs, toMs }: Span, { base, rowsMax }: Table): boolean {
  const page = (timeMs: number): number => Math.floor((timeMs - base.span.fromMs) / (rowsMax * base.stepMs));
  return page(fromMs - base.stepMs) !== page(toMs);
}

/** A hole of a thin market that nobody planted. */
function asRecorded({ base, drafts, slot, random }: Table): Planted[] | null {
  const draft = pick(
    random,
    drafts.filter(({ market }) => market === 'thin'),
  );
  if (base.emptyCandles === 'flat' || draft === undefined) return null;
  const holes = holesIn(slot, new Set(draft.rows.keys()), base.stepMs).filter(
    ({ fromMs, toMs }) => fromMs > slot.fromMs && toMs < slot.toMs,
  );
  const hole = pick(random, holes);
  return hole === undefined ? null : [question(draft.symbol, [hole], verdict('no_trades', 'thin_market'))];
}

const flattened = (row: RecordedCandle): RecordedCandle => ({ ...row, high: row.low, volume: 0 });

/** The venue stalls: rows of all symbols are missing or flat; one symbol may stop a little later. */
function all(table: Table, rows: 'missing' | 'flat', expected: ExpectedVerdict): Planted[] | null {
  const { stepMs } = table.base;
  if (liquid(table).length < 3) return null;
  const gap = place(table, { min: 1, max: stepMs < HOUR_MS ? 290 : 9 });
  const late = pick(table.random, table.drafts);
  const own = (draft: Draft): Span =>
    draft === late && gap.toMs - gap.fromMs > 4 * stepMs ? { fromMs: gap.fromMs + stepMs, toMs: gap.toMs } : gap;
  for (const draft of [...table.drafts, table.newcomer]) {
    for (let timeMs = own(draft).fromMs; timeMs < gap.toMs; timeMs += stepMs) {
      const row = draft.rows.get(timeMs);
      if (row !== undefined && rows === 'flat') draft.rows.set(timeMs, flattened(row));
      else draft.rows.delete(timeMs);
    }
  }
  return table.drafts.map((draft) => question(draft.symbol, [own(draft)], expected));
}

function silentEverywhere(table: Table): Planted[] | null {
  if (table.base.emptyCandles === 'omitted') return null;
  const planted = all(table, 'missing', verdict('pending', 'unexplained'));
  if (planted !== null) table.silentElsewhere.push(...planted.flatMap(({ spans }) => spans));
  return planted;
}

function outageRequestedOnce(table: Table): Planted[] | null {
  const planted = all(table, 'missing', verdict('pending', 'second_look'));
  if (planted === null) return null;
  for (const draft of [...table.drafts, table.newcomer]) draft.once.push(table.slot);
  return planted;
}

function knownIncident(table: Table): Planted[] | null {
  return one(table, { length: 60 }, verdict('outage', 'known_incident'), (draft, gap) => {
    const { stepMs } = table.base;
    const wider = {
      fromMs: gap.fromMs - between(table.random, { min: 0, max: 3 }) * stepMs,
      toMs: gap.toMs + between(table.random, { min: 0, max: 3 }) * stepMs,
    };
    table.incidents.push({
      ...wider,
      id: `planted ${gap.fromMs}`,
      exchange: 'quiz',
      symbols: randomInt(table.random, 2) === 0 ? null : [draft.symbol],
      source: 'quiz',
    });
  });
}

function cutCandle(table: Table): Planted[] | null {
  if (table.base.emptyCandles === 'omitted' || liquid(table).length < 3) return null;
  return one(table, { market: 'liquid', length: 30 }, verdict('outage', 'cut_candle'), (draft, gap) => {
    const openTimeMs = gap.fromMs - table.base.stepMs;
    const row = draft.rows.get(openTimeMs) as RecordedCandle;
    draft.rows.set(openTimeMs, { ...row, closeTimeMs: openTimeMs + randomInt(table.random, table.base.stepMs - 1) });
  });
}

/** One market pauses: its flat rows are present. */
function calmFlat(table: Table): Planted[] | null {
  const draft = pick(
    table.random,
    table.drafts.filter(({ spare }) => spare > 0),
  );
  if (table.base.emptyCandles === 'omitted' || draft === undefined) return null;
  const calm = place(table, { min: 1, max: Math.min(30, draft.spare) });
  for (const [timeMs, row] of draft.rows)
    if (timeMs >= calm.fromMs && timeMs < calm.toMs) draft.rows.set(timeMs, flattened(row));
  draft.spare -= (calm.toMs - calm.fromMs) / table.base.stepMs;
  return [question(draft.symbol, [calm], verdict(null))];
}

/** A market that begins inside the window: a copy of a recorded one. */
function notListed(table: Table): Planted[] | null {
  const copy = table.newcomer;
  if (liquid(table).length < 3 || copy.listedFromMs !== null) return null;
  const before = { fromMs: table.base.span.fromMs, toMs: place(table, { min: 1, max: 1 }).fromMs };
  for (const timeMs of copy.rows.keys()) if (timeMs < before.toMs) copy.rows.delete(timeMs);
  copy.listedFromMs = before.toMs;
  return [question(copy.symbol, [before], verdict('not_due', 'not_listed'))];
}

/** Our pager loses the last candle of each page, and loses it again when it requests that candle alone. */
function pageStep({ base: { stepMs }, slot, rowsMax, random }: Table, drafts: readonly Draft[]): Planted[] | null {
  const pages = Math.min(
    between(random, { min: 1, max: 9 }),
    Math.floor((slot.toMs - slot.fromMs) / ((rowsMax + 1) * stepMs)),
  );
  if (pages < 1 || !drafts.every((draft) => canLose(draft, pages))) return null;
  const holes = Array.from({ length: pages }, (_, at) => ({
    fromMs: slot.fromMs + ((at + 1) * (rowsMax + 1) - 1) * stepMs,
    toMs: slot.fromMs + (at + 1) * (rowsMax + 1) * stepMs,
  }));
  return drafts.flatMap((draft) => {
    const lost = holes.filter((hole) => take(draft, hole, stepMs));
    draft.paged.push({ fromMs: slot.fromMs, toMs: (holes.at(-1) as Span).toMs, rowsMax: rowsMax + 1 });
    draft.alone.push(...lost);
    draft.spare -= lost.length;
    return lost.length === 0
      ? []
      : [
          question(draft.symbol, lost, {
            ...verdict('pending', 'pagination', 'page_edge', 'second_look'),
            isOurs: true,
          }),
        ];
  });
}

/** Our reader drops every n-th row, in the middle of responses. */
function rowsDropped(table: Table): Planted[] | null {
  const {
    base: { stepMs },
    slot,
    rowsMax,
    random,
  } = table;
  const draft = pick(
    random,
    liquid(table).filter(({ spare }) => spare >= 6),
  );
  const room = (slot.toMs - slot.fromMs) / stepMs;
  const count = Math.min(9, Math.floor((room - 10) / (rowsMax + 1)), draft?.spare ?? 0);
  if (draft === undefined || count < 6) return null;
  const firstMs = slot.fromMs + between(random, { min: 5, max: rowsMax / 2 }) * stepMs;
  const holes = Array.from({ length: count }, (_, at) => ({
    fromMs: firstMs + at * (rowsMax + 1) * stepMs,
    toMs: firstMs + (at * (rowsMax + 1) + 1) * stepMs,
  })).filter(({ toMs }) => toMs < slot.toMs);
  if (holes.length < 6 || !holes.every((hole) => take(draft, hole, stepMs))) return null;
  draft.spare -= holes.length;
  return [question(draft.symbol, holes, { ...verdict('pending', 'pagination'), isOurs: true })];
}

/** A response ends early, and the second one, for the rest alone, is empty. */
function cutPage(table: Table): Planted[] | null {
  const { base, slot, rowsMax, random } = table;
  const pageMs = rowsMax * base.stepMs;
  const endMs = base.span.fromMs + Math.ceil((slot.fromMs + 30 * base.stepMs - base.span.fromMs) / pageMs) * pageMs;
  const draft = pick(
    random,
    table.drafts.filter((draft) => draft.paged.length === 0 && canLose(draft, 1)),
  );
  if (draft === undefined || endMs >= slot.toMs) return null;
  const length = between(random, {
    min: 1,
    max: Math.min(20, draft.market === 'thin' ? 20 : draft.spare, rowsMax - 5),
  });
  const lost = { fromMs: endMs - length * base.stepMs, toMs: endMs };
  if (!take(draft, lost, base.stepMs)) return null;
  draft.alone.push(lost);
  draft.spare -= length;
  return [question(draft.symbol, [lost], { ...verdict('pending', 'page_edge'), isOurs: true })];
}

/** A response without rows for a page that has some, not requested again yet. */
function emptyPage(table: Table): Planted[] | null {
  const { base, slot, rowsMax, random } = table;
  const pageMs = rowsMax * base.stepMs;
  const fromMs = base.span.fromMs + Math.ceil((slot.fromMs - base.span.fromMs) / pageMs) * pageMs;
  const draft = pick(
    random,
    table.drafts.filter((draft) => draft.paged.length === 0 && canLose(draft, rowsMax)),
  );
  if (draft === undefined || fromMs + pageMs >= slot.toMs) return null;
  const lost = { fromMs, toMs: fromMs + pageMs };
  if (!take(draft, lost, base.stepMs)) return null;
  draft.once.push(lost);
  draft.spare -= rowsMax;
  return [question(draft.symbol, [lost], { ...verdict('pending', 'second_look'), isOurs: true })];
}
