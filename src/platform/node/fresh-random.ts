import { randomBytes } from 'node:crypto';
import { seededRandom } from '../seeded-random.ts';
import type { Random } from '../ports/random.ts';

/** An unpredictable stream, for production. */
export const freshRandom = (): Random => seededRandom(randomBytes(12).toString('hex'));

/** 192 random bits as text for addresses and headers. */
export const freshSecret = (): string => randomBytes(24).toString('base64url');
