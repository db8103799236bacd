import { createHash } from 'node:crypto';
import type { Random } from './ports/random.ts';

/** sfc32, seeded through SHA-256: small, fast, passes PractRand. Source: practrand.sourceforge.net. */
export function seededRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  return { seed, next, fork: (name) => seededRandom(`${seed}/${name}`) };
}

/** An integer in [0, below). */
export const randomInt = (random: Random, below: number): number => Math.floor(random.next() * below);
