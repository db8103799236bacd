import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { HttpResponse } from '../../platform/ports/http.ts';
import type { Redact } from '../../platform/ports/redact.ts';
import type { Series } from '../../domain/candle.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { Page } from '../../exchanges/adapter.ts';

/**
 * A response as bronze stores it: one JSON line with the request, the response and their times. Its row in the index
 * can be rebuilt from it.
 */
export interface StoredResponse extends Series {
  readonly v: 1;
  readonly id: string;
  readonly run_id: string;
  /** The requested range, as ISO times; `to` is exclusive. */
  readonly from: string;
  readonly to: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** ISO time at which the response was complete. */
  readonly fetched_at: string;
  /** The fault's code of a response that could not be used; null for a used one. */
  readonly rejected: FaultCode | null;
  readonly body: string;
  /** `base64` when the body is not UTF-8 text. */
  readonly encoding: 'utf8' | 'base64';
}

/** Headers worth keeping: limits, caching, content. Never cookies. */
const KEPT_HEADERS = new RegExp(
  '^(?:content-type|content-length|content-encoding|date|retry-after|server|age|etag|last-modified|cf-ray' +
    '|x-mbx-.*|ratelimit.*|x-ratelimit.*)$',
);

const LEVEL = 3;

export interface ResponseToStore {
  /** Sorts by the time of arrival. */
  readonly id: string;
  readonly runId: string;
  readonly page: Page;
  readonly url: string;
  readonly response: HttpResponse;
  readonly fetchedAtMs: number;
  readonly rejected: FaultCode | null;
}

/**
 * Packs a response into one zstd frame. Frames in a row are a valid .zst file of NDJSON (`zstd -dc seg-0001.zst`).
 * URL and headers are redacted, because a proxy may echo its credentials; the body is stored as received.
 */
export function packResponse(
  toStore: ResponseToStore,
  redact: Redact,
): { readonly frame: Uint8Array; readonly sha256: string } {
  const { response, page } = toStore;
  const encoding = isUtf8(response.body) ? 'utf8' : 'base64';
  const stored: StoredResponse = {
    v: 1,
    id: toStore.id,
    run_id: toStore.runId,
    ...page.series,
    from: new Date(page.range.fromMs).toISOString(),
    to: new Date(page.range.toMs).toISOString(),
    url: redact(toStore.url),
    status: response.status,
    headers: Object.fromEntries(
      Object.entries(response.headers)
        .filter(([name]) => KEPT_HEADERS.test(name))
        .map(([name, value]) => [name, redact(value)]),
    ),
    fetched_at: new Date(toStore.fetchedAtMs).toISOString(),
    rejected: toStore.rejected,
    body: Buffer.from(response.body).toString(encoding),
    encoding,
  };
  const line = Buffer.from(`${JSON.stringify(stored)}\n`);
  const frame = zstdCompressSync(line, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  return { frame, sha256: sha256Of(line) };
}

const sha256Of = (line: Uint8Array): string => createHash('sha256').update(line).digest('hex');

/** The response in a frame and the hash of its line; null if the bytes fail zstd's checksum or hold no response. */
export function unpackResponse(frame: Uint8Array): { readonly stored: StoredResponse; readonly sha256: string } | null {
  try {
    const line = zstdDecompressSync(frame);
    const stored = JSON.parse(line.toString('utf8')) as Partial<StoredResponse> | null;
    return stored?.v === 1 && stored.id !== undefined
      ? { stored: stored as StoredResponse, sha256: sha256Of(line) }
      : null;
  } catch (error) {
    if (Error.isError(error)) return null; // zlib or the JSON parser rejected the bytes: they are damaged
    throw error;
  }
}

/** The response as received, for the venue's adapter to read again. */
export const responseOf = (stored: StoredResponse): HttpResponse => ({
  status: stored.status,
  headers: stored.headers,
  body: Buffer.from(stored.body, stored.encoding),
});
