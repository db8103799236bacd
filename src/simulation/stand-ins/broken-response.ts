import type { TimeRange } from '../../domain/range.ts';
import type { FaultSpec } from '../fault-plan.ts';
import { jsonReply, textReply, type ResponseReply, type StandInReply } from './reply.ts';
import type { RecordedCandle } from '../recorded-series.ts';

/** The rows of a candle response, in the order sent, changed by the fault; other faults leave them unchanged. */
export function brokenRows(
  rows: readonly RecordedCandle[],
  fault: FaultSpec,
  requested: TimeRange,
): readonly (readonly unknown[])[] {
  switch (fault.kind) {
    case 'empty-list':
      return [];
    case 'short-page':
      return rows.slice(0, Math.floor(rows.length * fault.keptRatio));
    case 'sparse-page':
      return rows.filter((_row, at) => (at + 1) % fault.every !== 0);
    case 'missing-rows':
      return rows.filter((row) => row[0] < fault.fromMs || row[0] >= fault.toMs);
    case 'wrong-unit':
      return rows.map((row) => inUnit(row, fault.factor ?? 1_000));
    case 'duplicate-rows':
      return [...rows, ...rows.slice(-fault.rows)];
    case 'null-fields':
      return rows.map((row, at) => (at < fault.rows ? row.with(4, null as never) : row));
    case 'foreign-rows':
      return moved(rows, fault.how, requested);
    case 'invalid-rows':
      return rows.map((row, at) => (at < fault.rows ? invalidRow(row, fault.rule) : row));
    default:
      return rows;
  }
}

const inUnit = (row: RecordedCandle, factor: number): readonly unknown[] =>
  row.with(0, Math.floor(row[0] * factor)).with(6, Math.floor((row[6] + 1) * factor) - 1);

/** Rows from outside the requested range, added to the right ones or instead of them. */
function moved(
  rows: readonly RecordedCandle[],
  how: Extract<FaultSpec, { kind: 'foreign-rows' }>['how'],
  requested: TimeRange,
): readonly (readonly unknown[])[] {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return rows;
  const endMs = Math.max(first[6], last[6]) + 1;
  const rowsMs = endMs - Math.min(first[0], last[0]);
  // Whole pages back, so that the rows lie before the requested range and stay on the grid.
  const spanMs = Math.ceil((endMs - requested.fromMs) / rowsMs) * rowsMs;
  const foreign = rows.map((row) => row.with(0, row[0] - spanMs).with(6, row[6] - spanMs));
  return how === 'added' ? [...foreign, ...rows] : foreign;
}

function invalidRow(
  row: RecordedCandle,
  rule: Extract<FaultSpec, { kind: 'invalid-rows' }>['rule'],
): readonly unknown[] {
  switch (rule) {
    case 'ohlc-order':
      return row.with(2, String(Number(row[3]) / 2));
    case 'volume-negative':
      return row.with(5, `-${row[5]}1`);
    case 'price-not-positive':
      return row.with(3, '0');
    case 'not-finite':
      return row.with(4, 'NaN');
    case 'no-number':
      return row.with(1, 'n/a');
    default:
      return rule satisfies never;
  }
}

/** Builds the body of a venue's error response. */
export type ErrorBody = (error: {
  readonly status: number;
  readonly venueCode: string | null;
  readonly message: string;
}) => unknown;

/** What is sent instead of `response` because of the fault. */
export function brokenReply(
  response: ResponseReply,
  fault: FaultSpec,
  { nowMs, errorBody }: { readonly nowMs: number; readonly errorBody: ErrorBody },
): StandInReply {
  const half = Math.max(1, Math.floor(response.body.length / 2));
  switch (fault.kind) {
    case 'status':
      return statusReply(fault, errorBody);
    case 'ban':
      return banReply(nowMs + fault.forMs, { forMs: fault.forMs, errorBody });
    case 'silence':
      return { kind: 'silence' };
    case 'reset':
    case 'answer-lost':
      return { kind: 'reset' };
    case 'stall':
      return { ...response, breaks: { how: 'stall', afterBytes: half } };
    case 'cut':
      return { ...response, breaks: { how: 'cut', afterBytes: half } };
    case 'truncated-json':
      return { ...response, body: response.body.subarray(0, half) };
    case 'html':
      return textReply(200, PAGE);
    case 'empty-body':
      return { ...response, body: Buffer.alloc(0) };
    case 'wrong-shape':
      return jsonReply(
        response.status,
        inOtherContainer(JSON.parse(Buffer.from(response.body).toString('utf8'))),
        response.headers,
      );
    case 'slow':
      return { ...response, delayMs: fault.delayMs };
    default:
      return response; // the fault has changed the rows
  }
}

const PAGE = '<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Checking your browser</body></html>';

function statusReply(
  { status, body = 'json', retryAfter, venueCode }: Extract<FaultSpec, { kind: 'status' }>,
  errorBody: ErrorBody,
): ResponseReply {
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  if (body === 'empty') return { kind: 'answer', status, headers, body: Buffer.alloc(0) };
  if (body === 'html') return textReply(status, PAGE, headers);
  return jsonReply(
    status,
    errorBody({ status, venueCode: venueCode === undefined ? null : String(venueCode), message: `injected ${status}` }),
    headers,
  );
}

/** Moves every list one level deeper: `{"data": [...]}` becomes `{"data": {"rows": [...]}}`. */
function inOtherContainer(value: unknown): unknown {
  if (Array.isArray(value)) return { rows: value };
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, inOtherContainer(field)]));
}

/** Retry-After counts whole seconds, rounded up as the venue does. */
export const banReply = (
  untilMs: number,
  { forMs, errorBody }: { readonly forMs: number; readonly errorBody: ErrorBody },
): ResponseReply =>
  jsonReply(
    418,
    errorBody({
      status: 418,
      venueCode: null,
      message:
        `Way too much request weight used; IP banned until ${untilMs}. ` +
        'Please use WebSocket Streams for live updates to avoid bans.',
    }),
    { 'retry-after': String(Math.ceil(forMs / 1_000)) },
  );
