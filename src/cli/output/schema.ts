/** The version of the documents scripts rely on: fields may be added, none changes its meaning. */
export const SCHEMA = 1;

/** ISO 8601 in UTC, without milliseconds where they are zero. */
export const isoTime = (timeMs: number | null): string | null =>
  timeMs === null ? null : new Date(timeMs).toISOString().replace('.000Z', 'Z');

export const listDocument = (items: readonly object[]): object => ({ schema: SCHEMA, items });
