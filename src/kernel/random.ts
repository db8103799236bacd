import { createHash, randomBytes } from 'node:crypto';

/**
 * A stream of chance. Each subsystem forks its own by name, so that one more draw in one place does
 * not shift what every other place draws: a seed stays reproducible while the code grows.
 */
export interface Random {
  /** The seed that reproduces this stream. */
  readonly seed: string;
  /** A number in [0, 1). */
  next(): number;
  /** An independent stream, determined by this stream's seed and the name alone. */
  fork(name: string): Random;
}

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

/** A stream nobody can foresee, for production. */
export const freshRandom = (): Random => seededRandom(randomBytes(12).toString('hex'));

/** A whole number in [0, below). */
export const randomInt = (random: Random, below: number): number => Math.floor(random.next() * below);
