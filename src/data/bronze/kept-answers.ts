import type { Files } from '../../kernel/files.ts';
import { wholeFrames } from '../../kernel/zstd-frames.ts';
import type { Lake } from '../lake/layout.ts';
import { unpackAnswer, type StoredAnswer } from './answers.ts';
import type { PageEntry } from './page-index.ts';

/** What became of the bytes of an answer that cannot be read any more. */
export type AnswerLoss = 'missing' | 'cut' | 'damaged';

export type KeptAnswer = { readonly ok: true; readonly stored: StoredAnswer } | { readonly ok: false; readonly loss: AnswerLoss };

/** Reads an indexed answer and holds it against its hash. A disk that fails to read is thrown as it is. */
export function readAnswer(files: Files, lake: Lake, page: Pick<PageEntry, 'segment' | 'offset' | 'length' | 'sha256'>): KeptAnswer {
  const path = lake.at(page.segment);
  if (!files.exists(path)) return { ok: false, loss: 'missing' };
  if (files.sizeBytes(path) < page.offset + page.length) return { ok: false, loss: 'cut' };
  const found = unpackAnswer(files.readSlice(path, page.offset, page.length));
  return found?.sha256 === page.sha256 ? { ok: true, stored: found.stored } : { ok: false, loss: 'damaged' };
}

/** An answer found in a segment. */
export interface FoundAnswer {
  readonly offset: number;
  readonly length: number;
  readonly stored: StoredAnswer;
  readonly sha256: string;
}

export interface SegmentScan {
  readonly answers: readonly FoundAnswer[];
  /** Bytes between whole answers that are none: a damaged frame, or what is left of one. */
  readonly damaged: readonly { readonly offset: number; readonly length: number }[];
  /** Bytes at the end that a crash left of an answer on its way to the disk. */
  readonly tornBytes: number;
}

// Source: RFC 8878, section 3.1.1; little-endian 0xFD2FB528.
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Every whole answer of a segment, whatever lies between them. */
export function scanSegment(bytes: Uint8Array): SegmentScan {
  const answers: FoundAnswer[] = [];
  const damaged: { offset: number; length: number }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const frames = wholeFrames(bytes.subarray(at));
    for (const frame of frames) {
      const place = { offset: at + frame.offset, length: frame.length };
      const found = unpackAnswer(bytes.subarray(place.offset, place.offset + place.length));
      if (found === null) damaged.push(place);
      else answers.push({ ...place, ...found });
    }
    const offset = at + frames.reduce((sum, { length }) => sum + length, 0);
    if (offset === bytes.length) break;
    const next = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(MAGIC, offset + 1);
    if (next < 0) return { answers, damaged, tornBytes: bytes.length - offset };
    damaged.push({ offset, length: next - offset });
    at = next;
  }
  return { answers, damaged, tornBytes: 0 };
}
