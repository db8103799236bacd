import type { Ports } from '../../platform/ports/ports.ts';
import { periodsIn } from '../../domain/partition.ts';
import { readStoredRows, type StoredRows } from '../bronze/stored-responses.ts';
import type { PageEntry } from '../bronze/page-index.ts';
import type { DeliveredRow, ExchangeAdapter } from '../../exchanges/adapter.ts';
import type { Lake } from '../layout.ts';

/** Rows of stored responses, read again from bronze. */
export interface ResponseReader {
  /** Called once for each period that the page touches. */
  read(page: PageEntry): StoredRows;
}

/** A response that spans several periods is parsed once; its rows are held until the last period has read them. */
export function responseReader({ files }: Pick<Ports, 'files'>, lake: Lake, adapter: ExchangeAdapter): ResponseReader {
  const held = new Map<string, { readonly rows: readonly DeliveredRow[]; readonly periodsLeft: number }>();
  const hold = (page: PageEntry, rows: readonly DeliveredRow[], periodsLeft: number): void =>
    void (periodsLeft > 0 ? held.set(page.id, { rows, periodsLeft }) : held.delete(page.id));
  return {
    read: (page) => {
      const known = held.get(page.id);
      if (known !== undefined) {
        hold(page, known.rows, known.periodsLeft - 1);
        return { ok: true, rows: known.rows };
      }
      const stored = readStoredRows(files, lake, adapter, page);
      if (stored.ok) hold(page, stored.rows, periodsIn(page.range, page.series.interval).length - 1);
      return stored;
    },
  };
}
