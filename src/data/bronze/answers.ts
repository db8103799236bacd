import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { HttpAnswer } from '../../kernel/http.ts';

/** An answer of a venue as bronze keeps it: what was asked, what came back, when. One JSON line in the file. */
export interface StoredAnswer {
  readonly v: 1;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** ISO time the answer was complete. */
  readonly fetched_at: string;
  /** Null for a used answer; the fault's code for one that could not be used. */
  readonly rejected: string | null;
  readonly body: string;
  /** `base64` when the body is not UTF-8 text. */
  readonly encoding: 'utf8' | 'base64';
}

/** Headers worth keeping: limits, caching, content. Never cookies. */
const KEPT_HEADERS = /^(?:content-type|content-length|content-encoding|date|retry-after|server|age|etag|last-modified|cf-ray|x-mbx-.*|ratelimit.*|x-ratelimit.*)$/;

const LEVEL = 3;

export interface AnswerToStore {
  readonly url: string;
  readonly answer: HttpAnswer;
  readonly fetchedAtMs: number;
  readonly rejected: string | null;
}

/** One zstd frame; frames one after another are a valid .zst file of NDJSON (`zstd -dc seg-0001.zst`). */
export function packAnswer(toStore: AnswerToStore): { readonly frame: Uint8Array; readonly sha256: string } {
  const { answer } = toStore;
  const encoding = isUtf8(answer.body) ? 'utf8' : 'base64';
  const stored: StoredAnswer = {
    v: 1,
    url: toStore.url,
    status: answer.status,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => KEPT_HEADERS.test(name))),
    fetched_at: new Date(toStore.fetchedAtMs).toISOString(),
    rejected: toStore.rejected,
    body: Buffer.from(answer.body).toString(encoding),
    encoding,
  };
  const line = Buffer.from(`${JSON.stringify(stored)}\n`);
  const frame = zstdCompressSync(line, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 } });
  return { frame, sha256: createHash('sha256').update(line).digest('hex') };
}

/** Throws when the frame is damaged (zstd's own checksum). */
export function unpackAnswer(frame: Uint8Array): StoredAnswer {
  return JSON.parse(zstdDecompressSync(frame).toString('utf8')) as StoredAnswer;
}

/** The answer as the wire gave it, to be read by the venue's adapter again. */
export const answerOf = (stored: StoredAnswer): HttpAnswer => ({ status: stored.status, headers: stored.headers, body: Buffer.from(stored.body, stored.encoding) });
