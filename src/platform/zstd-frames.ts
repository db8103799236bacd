/** Position of one frame in a file of zstd frames. Unit: bytes. */
export interface FrameSpan {
  readonly offset: number;
  readonly length: number;
}

// Source: RFC 8878, section 3.1.1: magic number, frame header, blocks of a three-byte header each, checksum.
const MAGIC = 0xfd2fb528;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** The complete frames at the start of `bytes`, in order. The bytes after them are a torn frame or none. */
export function wholeFrames(bytes: Uint8Array): FrameSpan[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: FrameSpan[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const end = frameEnd(view, offset);
    if (end === null) break;
    frames.push({ offset, length: end - offset });
    offset = end;
  }
  return frames;
}

/** Null for an incomplete frame. */
function frameEnd(view: DataView, offset: number): number | null {
  const size = view.byteLength;
  if (offset + 5 > size || view.getUint32(offset, true) !== MAGIC) return null;
  const descriptor = view.getUint8(offset + 4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes = contentSizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] ?? 0);
  let at = offset + 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + contentSizeBytes;
  for (let isLast = false; !isLast; ) {
    if (at + 3 > size) return null;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) return null;
    isLast = (header & 1) === 1;
    at += 3 + (type === RLE_BLOCK ? 1 : header >> 3);
  }
  const end = at + ((descriptor & 4) === 0 ? 0 : 4);
  return end <= size ? end : null;
}
