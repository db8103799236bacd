// Shared by all client processes, and no part of the comparison: the task, the file of rows, the final report.
import { appendFileSync } from 'node:fs';
import { MINUTE_MS, ROWS_PER_PAGE, venueSymbolOf, type Task } from '../workload.ts';
import { NUMBERS_PER_ROW, rowsFile, type ReportedGap } from './rows.ts';

export const task = JSON.parse(process.argv[2] ?? '') as Task;

/** Appends rows as the client received them: in any order, duplicates included. */
export function keepRows(symbol: string, rows: readonly (readonly unknown[])[]): void {
  const numbers = new Float64Array(rows.length * NUMBERS_PER_ROW);
  for (const [at, row] of rows.entries()) {
    for (let field = 0; field < NUMBERS_PER_ROW; field++)
      numbers[at * NUMBERS_PER_ROW + field] = row[field] === null ? Number.NaN : Number(row[field]);
  }
  appendFileSync(rowsFile(task.directory, symbol), new Uint8Array(numbers.buffer));
}

/** The last line that a client prints. */
export const finish = (failed: readonly ReportedGap[]): void => console.log(JSON.stringify({ failed }));

export interface ClientPage {
  readonly symbol: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Pages of a thousand minutes, symbol after symbol, oldest first. */
export function pages(symbols: readonly string[] = task.symbols): ClientPage[] {
  const spanMs = ROWS_PER_PAGE * MINUTE_MS;
  const all: ClientPage[] = [];
  for (const symbol of symbols) {
    for (let fromMs = task.range.fromMs; fromMs < task.range.toMs; fromMs += spanMs)
      all.push({ symbol, fromMs, toMs: Math.min(fromMs + spanMs, task.range.toMs) });
  }
  return all;
}

export const urlOf = ({ symbol, fromMs, toMs }: ClientPage): string =>
  `${task.url}/api/v3/klines?symbol=${venueSymbolOf(symbol)}&interval=1m` +
  `&startTime=${fromMs}&endTime=${toMs - 1}&limit=${ROWS_PER_PAGE}`;

/** Works through all items, `count` at a time. */
export async function concurrent<T>(
  count: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

export const messageOf = (error: unknown): string =>
  Error.isError(error) ? `${error.name}: ${error.message.slice(0, 200)}` : String(error);
