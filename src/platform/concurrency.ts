/**
 * Runs `work` for every item, started in order, at most `concurrentMax` at a time. After an error no further work
 * starts; the first error is thrown once the running work has ended.
 */
export async function forEachConcurrent<T>(
  items: readonly T[],
  concurrentMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let thrown: { readonly error: unknown } | null = null;
  const worker = async (): Promise<void> => {
    while (next < items.length && thrown === null) {
      try {
        await work(items[next++] as T);
      } catch (error) {
        thrown ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrentMax, items.length) }, worker));
  if (thrown !== null) throw (thrown as { readonly error: unknown }).error;
}

/** Both results, once both promises have settled. @throws the error of `first`, or else that of `second`. */
export async function bothSettled<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
