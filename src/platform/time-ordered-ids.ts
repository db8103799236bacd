import type { Clock } from './ports/clock.ts';
import type { Random } from './ports/random.ts';
import { randomInt } from './seeded-random.ts';
import type { Ids } from './ports/ids.ts';

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
