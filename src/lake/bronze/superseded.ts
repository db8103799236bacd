import { gridOf, subtractRanges } from '../../domain/range.ts';
import type { PageEntry } from './page-index.ts';

/** Open times in a response. */
export interface ResponseRows {
  readonly valid: ReadonlySet<number>;
  /** True for rows off the grid, which no other response replaces. */
  readonly hasForeign: boolean;
}

/**
 * Responses of one series that are safe to remove: for every candle of their range a later response has a valid row.
 * A response with a hole is evidence and stays. `pages` are in order of arrival; `read` returns null for a response
 * that cannot be read any more.
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
