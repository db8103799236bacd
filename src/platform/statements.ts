import type { SqlValue, Row, Operation } from './ports/store.ts';

export function* all<T = Row>(sql: string, ...values: readonly SqlValue[]): Operation<readonly T[]> {
  return (yield { sql, values }) as readonly T[];
}

export function* first<T = Row>(sql: string, ...values: readonly SqlValue[]): Operation<T | null> {
  const rows = yield { sql, values };
  return (rows[0] as T | undefined) ?? null;
}

/** A statement whose rows do not matter. */
export function* exec(sql: string, ...values: readonly SqlValue[]): Operation<void> {
  yield { sql, values };
}
