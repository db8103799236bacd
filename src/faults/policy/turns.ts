/** Runs one piece of work after another, first come, first served; one that fails or is cancelled does not end the queue. */
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.then(() => undefined, () => undefined);
    return mine;
  };
}
