import { gridOf, subtractRanges } from '../../domain/range.ts';
import type { PageEntry } from './page-index.ts';

/** Open times in an answer. */
export interface ResponseRows {
  readonly valid: ReadonlySet<number>;
  /** Rows off the grid, which no other answer makes up for. */
  readonly hasForeign: boolean;
}

/**
 * Answers of one series that nothing would miss: for every candle of their range a later answer has a valid
 * row. An answer with a hole is evidence and stays. `pages` in the order they came; `read` gives null for
 * one whose bytes are gone.
 */
export function supersededOf(pages: readonly PageEntry[], read: (page: PageEntry) => ResponseRows | null): PageEntry[] {
  return pages.filter((page, at) => {
    const later = pages
      .slice(at + 1)
      .filter(({ range }) => range.fromMs < page.range.toMs && range.toMs > page.range.fromMs);
    if (
      subtractRanges(
        [page.range],
        later.map(({ range }) => range),
      ).length > 0 ||
      read(page)?.hasForeign !== false
    )
      return false;
    const valid = later.map((one) => read(one)?.valid);
    return gridOf(page.range, page.series.interval).every((openTimeMs) =>
      valid.some((openTimesMs) => openTimesMs?.has(openTimeMs)),
    );
  });
}
