/**
 * The durable store as a port. An operation is a generator that yields statements and receives rows: it can branch on
 * what it reads, but it cannot await anything else, so a slow network never holds a transaction open. The same
 * operation can run on SQLite (synchronously) and on PostgreSQL (one round trip per yield).
 */
export type SqlValue = string | number | bigint | null;

export type Row = Readonly<Record<string, SqlValue>>;

export interface Statement {
  /** Placeholders are `$1`, `$2`, ..., which both databases accept. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export type Operation<T> = Generator<Statement, T, readonly Row[]>;

export interface Store {
  /**
   * Runs `operation(...args)` as one durable transaction; an error rolls everything back. The name of the function
   * names the operation. Arguments are evaluated before the transaction begins.
   */
  transact<A extends readonly unknown[], T>(operation: (...args: A) => Operation<T>, ...args: A): Promise<T>;
  /** A consistent read without a write lock. */
  read<A extends readonly unknown[], T>(operation: (...args: A) => Operation<T>, ...args: A): Promise<T>;
  /** Damages of the file as the database reports them; empty when it is intact. Reads the whole file. */
  damages(): Promise<readonly string[]>;
  close(): void;
}

/**
 * One step of the schema, owned by the room that uses its tables. Applied once, in order, never edited after a release.
 */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

export interface StoreOptions {
  /** A file, or `:memory:` for a database that exists as long as the store. */
  readonly path: string;
  /** All migrations, oldest first; those missing in the file are applied. */
  readonly migrations: readonly Migration[];
  /** Distinguishes our databases, so that one is never opened as another. */
  readonly applicationName?: string;
  /** `relaxed` may lose the last transactions at power loss (not at a crash) and writes ten times as fast. */
  readonly durability?: 'full' | 'relaxed';
}

/** @throws StoreRefusedError when the file is not ours to use; it is left byte for byte as it was. */
export type OpenStore = (options: StoreOptions) => Store;
