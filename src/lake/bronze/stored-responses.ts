import type { Files } from '../../platform/ports/files.ts';
import { wholeFrames } from '../../platform/zstd-frames.ts';
import { ExchangeAPIError } from '../../errors/errors.ts';
import type { DeliveredRow, ExchangeAdapter } from '../../exchanges/adapter.ts';
import type { Lake } from '../layout.ts';
import { responseOf, unpackResponse, type StoredResponse } from './responses.ts';
import type { PageEntry } from './page-index.ts';

/**
 * Why a response that bronze kept cannot be used any more. `unreadable`: its bytes are whole, but the adapter's
 * reader no longer accepts them.
 */
export type ResponseLoss = 'missing' | 'cut' | 'damaged' | 'unreadable';

export type ReadResponse =
  | { readonly ok: true; readonly stored: StoredResponse }
  | { readonly ok: false; readonly loss: ResponseLoss };

/** Reads an indexed response and checks its hash. An error of the disk is thrown unchanged. */
export function readResponse(
  files: Files,
  lake: Lake,
  page: Pick<PageEntry, 'segment' | 'offset' | 'length' | 'sha256'>,
): ReadResponse {
  const path = lake.at(page.segment);
  if (!files.exists(path)) return { ok: false, loss: 'missing' };
  if (files.sizeBytes(path) < page.offset + page.length) return { ok: false, loss: 'cut' };
  const found = unpackResponse(files.readSlice(path, page.offset, page.length));
  return found?.sha256 === page.sha256 ? { ok: true, stored: found.stored } : { ok: false, loss: 'damaged' };
}

/** The rows of a kept response. `cause`: why the adapter rejected it; null when its bytes are lost. */
export type StoredRows =
  | { readonly ok: true; readonly rows: readonly DeliveredRow[] }
  | { readonly ok: false; readonly loss: ResponseLoss; readonly cause: ExchangeAPIError | null };

/** Reads the rows of an indexed response again, with the adapter as it is now. */
export function readStoredRows(files: Files, lake: Lake, adapter: ExchangeAdapter, page: PageEntry): StoredRows {
  const kept = readResponse(files, lake, page);
  return kept.ok ? rowsOfResponse(adapter, kept.stored, page) : { ok: false, loss: kept.loss, cause: null };
}

/** The rows in a response. Whatever the adapter throws besides an `ExchangeAPIError` is a defect and is rethrown. */
export function rowsOfResponse(
  adapter: ExchangeAdapter,
  stored: StoredResponse,
  { series, range, fetchedAtMs }: Pick<PageEntry, 'series' | 'range' | 'fetchedAtMs'>,
): StoredRows {
  try {
    return { ok: true, rows: adapter.readCandles({ series, range }, responseOf(stored), fetchedAtMs) };
  } catch (error) {
    if (error instanceof ExchangeAPIError) return { ok: false, loss: 'unreadable', cause: error };
    throw error;
  }
}

/** A response found in a segment. */
export interface FoundResponse {
  readonly offset: number;
  readonly length: number;
  readonly stored: StoredResponse;
  readonly sha256: string;
}

export interface SegmentScan {
  readonly responses: readonly FoundResponse[];
  /** Bytes between whole responses: damaged frames, or remains of them. */
  readonly damaged: readonly { readonly offset: number; readonly length: number }[];
  /** Length of the incomplete response that a crash left at the end. */
  readonly tornBytes: number;
}

// Source: RFC 8878, section 3.1.1; little-endian 0xFD2FB528.
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * Every whole response of a segment, damaged bytes between them skipped. A damaged frame may state a wrong length that
 * spans its neighbours, so the scan resumes at the next start of a frame.
 */
export function scanSegment(bytes: Uint8Array): SegmentScan {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const responses: FoundResponse[] = [];
  const damaged: { offset: number; length: number }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const rest = responsesFrom(bytes, at);
    responses.push(...rest.responses);
    if (rest.endsAt === bytes.length) break;
    const next = text.indexOf(MAGIC, rest.endsAt + 1);
    if (next < 0 && !rest.isFrame) return { responses, damaged, tornBytes: bytes.length - rest.endsAt };
    const end = next < 0 ? bytes.length : next;
    const last = damaged.at(-1);
    if (last !== undefined && last.offset + last.length === rest.endsAt) last.length = end - last.offset;
    else damaged.push({ offset: rest.endsAt, length: end - rest.endsAt });
    at = end;
  }
  return { responses, damaged, tornBytes: 0 };
}

/** Reads responses up to the first bytes that hold none. `isFrame`: those bytes look like a whole frame. */
function responsesFrom(
  bytes: Uint8Array,
  start: number,
): { readonly responses: readonly FoundResponse[]; readonly endsAt: number; readonly isFrame: boolean } {
  const responses: FoundResponse[] = [];
  let endsAt = start;
  for (const { length } of wholeFrames(bytes.subarray(start))) {
    const found = unpackResponse(bytes.subarray(endsAt, endsAt + length));
    if (found === null) return { responses, endsAt, isFrame: true };
    responses.push({ offset: endsAt, length, ...found });
    endsAt += length;
  }
  return { responses, endsAt, isFrame: false };
}
