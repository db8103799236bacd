import { silentLog } from '../kernel/log.ts';
import type { HttpAnswer } from '../kernel/http.ts';
import type { Exchange } from '../market/exchange.ts';
import { choiceText, chosenOf, type MarketChoice } from '../market/market-choice.ts';
import { createExecutor } from '../faults/policy/executor.ts';
import { ledgerTotals } from '../faults/ledger/cells.ts';
import { ruleOf } from '../faults/taxonomy/table.ts';
import { EXIT, exitOfFault, type ExitCode } from './exit-code.ts';
import type { Pipeline } from './pipeline.ts';
import type { MarketChoices } from './market-resolution.ts';
import { callOf } from './venue-inquiry.ts';
import { venueOf } from './venues.ts';

/** One line of `doctor`. */
export interface CheckRow {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about it; null when there is nothing to do. */
  readonly fix: string | null;
  /** What the process ends with because of this row. */
  readonly exit: ExitCode;
}

const FREE_BYTES_WARN = 1_000_000_000;
const CLOCK_SKEW_WARN_MS = 2_000;
/** A check is impatient: one page's worth of tries within this time. Unit: milliseconds. */
const VENUE_DEADLINE_MS = 10_000;

const ok = (check: string, detail: string): CheckRow => ({ check, status: 'ok', detail, fix: null, exit: EXIT.done });

/** Looks at everything a run needs: Node, disk, state, each configured venue, the Hub's settings. */
export async function checkup(pipeline: Pipeline, choices: MarketChoices, signal: AbortSignal): Promise<readonly CheckRow[]> {
  const venues = await Promise.all([...choices].map(([exchange, own]) => venueRow(pipeline, { exchange, own }, signal)));
  return [diskRow(pipeline), await stateRow(pipeline), ...venues, hubRow(pipeline)];
}

function diskRow({ ports, lake }: Pipeline): CheckRow {
  const freeBytes = ports.files.freeBytes(lake.root);
  const detail = `${lake.root} can be written, ${(freeBytes / 1e9).toFixed(1)} GB free`;
  return freeBytes >= FREE_BYTES_WARN ? ok('disk', detail) : { check: 'disk', status: 'warn', detail, fix: 'free space before the next backfill', exit: EXIT.done };
}

async function stateRow({ ports, lake }: Pipeline): Promise<CheckRow> {
  const totals = await ports.store.read('ledgerTotals', () => ledgerTotals());
  const cells = totals.reduce((sum, total) => sum + total.cells, 0);
  return ok('state', `${lake.state} opens, ${cells} cells`);
}

/** Reads the venue's symbol list: reachability, limits, the configured symbols and our clock at once. */
async function venueRow(pipeline: Pipeline, { exchange, own }: { readonly exchange: Exchange; readonly own: readonly MarketChoice[] }, signal: AbortSignal): Promise<CheckRow> {
  const { ports, settings } = pipeline;
  const { adapter, origins, guards } = venueOf(pipeline.venues, exchange);
  const executor = createExecutor({
    clock: ports.clock, random: ports.random.fork('checkup'), log: silentLog, guards,
    attemptTimeoutMs: Math.min(settings.requestTimeoutMs, VENUE_DEADLINE_MS), deadlineMs: VENUE_DEADLINE_MS,
  });
  const inquiry = { request: (origin: string) => adapter.symbolsRequest(origin), read: (answer: HttpAnswer, atMs: number) => adapter.readSymbols(answer, atMs) };
  const result = await executor.execute(callOf(ports, { adapter, origins }, inquiry), signal);
  if (!result.ok) {
    return { check: exchange, status: 'fail', detail: `${result.fault.message} (${result.fault.code}, ${result.requests} requests)`, fix: ruleOf(result.fault.code).hint, exit: exitOfFault(result.fault.code) };
  }
  const { listings } = result.value;
  const listed = new Set(listings.map((listing) => listing.symbol));
  const markets = listings.filter(({ isTrading }) => isTrading).map(({ symbol }) => ({ symbol, quoteVolume: null }));
  const unknown = own.filter((choice) => (choice.kind === 'symbol' ? !listed.has(choice.symbol) : chosenOf(choice, markets).length === 0)).map(choiceText);
  if (unknown.length > 0) return { check: exchange, status: 'warn', detail: `does not list ${unknown.join(', ')}`, fix: 'correct CANDLEKEEP_SYMBOLS', exit: EXIT.done };
  const skewMs = Math.abs(ports.clock.nowMs() - Date.parse(result.answer.headers['date'] ?? new Date(ports.clock.nowMs()).toUTCString()));
  const detail = `answers at ${result.origin}, ${listed.size} symbols listed, clocks ${(skewMs / 1_000).toFixed(1)} s apart`;
  return skewMs <= CLOCK_SKEW_WARN_MS ? ok(exchange, detail) : { check: exchange, status: 'warn', detail, fix: 'synchronise this machine\'s clock (NTP)', exit: EXIT.done };
}

function hubRow({ settings }: Pipeline): CheckRow {
  return ok('hub', settings.hub === null ? 'not configured: gold stays on disk (CANDLEKEEP_HF_REPO and HF_TOKEN publish it)' : `${settings.hub.repo} at ${settings.hub.endpoint}`);
}
