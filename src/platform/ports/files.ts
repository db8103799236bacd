/**
 * Disk as a port. Calls are synchronous on purpose: a rename belongs in the store transaction of the row that names the
 * file, without anything in between. Paths are absolute. Errors are Node's (`ENOENT`, `ENOSPC`, ...).
 */
export interface Files {
  exists(path: string): boolean;
  read(path: string): Uint8Array;
  /** Bytes `offset` to `offset + length`; throws when the file is shorter. */
  readSlice(path: string, offset: number, length: number): Uint8Array;
  /** Creates or replaces, without fsync. Makes a missing directory. */
  write(path: string, bytes: Uint8Array): void;
  /** Creates an empty file, or throws `EEXIST`: a process claims a name this way. */
  claim(path: string): void;
  /** Appends to an existing file and returns the offset the bytes start at. Without fsync. */
  append(path: string, bytes: Uint8Array): number;
  /** Makes the bytes of a file durable. */
  fsync(path: string): void;
  /** Makes the names in a directory (new, renamed, removed files) durable. */
  fsyncDirectory(path: string): void;
  /** Replaces `to` atomically; both must be in the same directory. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  makeDirectory(path: string): void;
  /** Names (not paths) in a directory, sorted; an absent directory is empty. */
  list(path: string): readonly string[];
  sizeBytes(path: string): number;
  /** Bytes a user may still write on the disk that holds `path`. */
  freeBytes(path: string): number;
}
