/**
 * The durable store behind a port of whole operations. An operation is a generator that yields
 * statements and gets rows back: it can branch on what it reads but cannot await anything else, so a
 * transaction is never held open by a slow network. The same operation runs on SQLite (synchronously)
 * and on PostgreSQL (each yield one round trip).
 */
export type SqlValue = string | number | bigint | null;

export type Row = Readonly<Record<string, SqlValue>>;

export interface Statement {
  /** Placeholders are `$1`, `$2`, ...: both databases understand them. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export type Operation<T> = Generator<Statement, T, readonly Row[]>;

export interface Store {
  /** Runs `operation` as one durable transaction; an error rolls everything back. The name shows in logs and crash tests. */
  transact<T>(name: string, operation: () => Operation<T>): Promise<T>;
  /** A consistent read without a write lock. */
  read<T>(name: string, operation: () => Operation<T>): Promise<T>;
  /** What is wrong with the file itself, in the database's words; empty when it is whole. Reads all of it. */
  damages(): Promise<readonly string[]>;
  close(): void;
}

/** One step of the schema, owned by the room whose tables it makes. Applied once, in order, never edited after a release. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

export interface StoreOptions {
  /** A file, or `:memory:` for a database that ends with the store. */
  readonly path: string;
  /** All steps there ever were, oldest first; those the file has not seen are applied. */
  readonly migrations: readonly Migration[];
  /** Tells our databases apart, so that one is never opened as another. */
  readonly applicationName?: string;
  /** `relaxed` may forget the last transactions at power loss (not at a crash) and writes ten times as fast. */
  readonly durability?: 'full' | 'relaxed';
}

/** @throws StoreRefusedError when the file is not ours to use; it is left byte for byte as it was. */
export type OpenStore = (options: StoreOptions) => Store;
