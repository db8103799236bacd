import type { Clock } from './clock.ts';
import { randomInt, type Random } from './random.ts';

/** Names for new things. They sort by the time they were made. */
export interface Ids {
  /** `next('run')` -> `run_01jd4x7k3q8f2c`: prefix, 9 characters of time, 5 of chance. */
  next(prefix: string): string;
}

const TIME_CHARS = 9;
const CHANCE_CHARS = 5;

export function timeOrderedIds(clock: Clock, random: Random): Ids {
  return {
    next: (prefix) => {
      const time = clock.nowMs().toString(36).padStart(TIME_CHARS, '0');
      const chance = randomInt(random, 36 ** CHANCE_CHARS)
        .toString(36)
        .padStart(CHANCE_CHARS, '0');
      return `${prefix}_${time}${chance}`;
    },
  };
}
