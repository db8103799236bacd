/**
 * Runs `work` for every item, begun in order, at most `atOnceMax` at a time. After an error nothing more
 * begins; the first one is thrown once the work under way has ended.
 */
export async function forEachConcurrent<T>(
  items: readonly T[],
  atOnceMax: number,
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
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, worker));
  if (thrown !== null) throw (thrown as { readonly error: unknown }).error;
}
