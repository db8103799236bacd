import { randomBytes } from 'node:crypto';
import { seededRandom } from '../seeded-random.ts';
import type { Random } from '../ports/random.ts';

/** A stream nobody can foresee, for production. */
export const freshRandom = (): Random => seededRandom(randomBytes(12).toString('hex'));

/** 192 bits that nobody can guess, as text for addresses and headers. */
export const freshSecret = (): string => randomBytes(24).toString('base64url');
