import type { Slots } from '../policies.ts';

/**
 * At most `concurrentMax` holders; the others wait in the order they came. A wait that is cancelled leaves the queue
 * at once.
 */
export function concurrencyLimit(concurrentMax: number): Slots {
  const queue = new Set<() => void>();
  let free = concurrentMax;

  /** Each slot is given back once, even if its holder calls twice. */
  const handOut = (): (() => void) => {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const [next] = queue;
      if (next === undefined) free += 1;
      else next();
    };
  };

  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        if (free > 0) {
          free -= 1;
          resolve(handOut());
          return;
        }
        const leave = (): void => {
          queue.delete(enter);
          reject(signal.reason as Error);
        };
        const enter = (): void => {
          queue.delete(enter);
          signal.removeEventListener('abort', leave);
          resolve(handOut());
        };
        queue.add(enter);
        signal.addEventListener('abort', leave, { once: true });
      }),
  };
}
