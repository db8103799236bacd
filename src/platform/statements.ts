import type { SqlValue, Row, Operation } from './ports/store.ts';

/** All rows. `T` states the columns selected; it is not checked. */
export function* all<T = Row>(sql: string, ...values: readonly SqlValue[]): Operation<readonly T[]> {
  return (yield { sql, values }) as readonly T[];
}

/** The first row; null without one. */
export function* first<T = Row>(sql: string, ...values: readonly SqlValue[]): Operation<T | null> {
  const rows = yield { sql, values };
  return (rows[0] as T | undefined) ?? null;
}

/** A statement without a result. */
export function* exec(sql: string, ...values: readonly SqlValue[]): Operation<void> {
  yield { sql, values };
}
