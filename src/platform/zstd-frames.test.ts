import { constants, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wholeFrames } from './zstd-frames.ts';

const compress = (text: string, level: number, checksum: boolean): Uint8Array =>
  zstdCompressSync(Buffer.from(text), {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0 },
  });

const frame = fc.record({
  seed: fc.string({ maxLength: 40 }),
  times: fc.constantFrom(0, 1, 50, 9_000),
  level: fc.constantFrom(1, 3, 9),
  checksum: fc.boolean(),
});

test('consecutive frames are found, with and without checksum, of any size', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), (wanted) => {
      const frames = wanted.map(({ seed, times, level, checksum }) => compress(seed.repeat(times), level, checksum));
      expect(wholeFrames(Buffer.concat(frames)).map(({ length }) => length)).toEqual(
        frames.map(({ length }) => length),
      );
    }),
  );
});

test('a torn last frame and bytes that are no frame are left out', () => {
  const [first, second] = [compress('first', 3, true), compress('second '.repeat(100), 3, true)];
  for (let cut = 0; cut < second.length; cut++)
    expect(wholeFrames(Buffer.concat([first, second.subarray(0, cut)]))).toEqual([{ offset: 0, length: first.length }]);
  expect(wholeFrames(Buffer.from('no frame at all'))).toEqual([]);
});
