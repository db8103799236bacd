/**
 * Disk as a port. Calls are synchronous on purpose: a rename belongs into the same store transaction
 * as the row that names the file, and nothing may come between. Paths are absolute. Errors are Node's
 * (`ENOENT`, `ENOSPC`, ...).
 */
export interface Files {
  exists(path: string): boolean;
  read(path: string): Uint8Array;
  /** Bytes `offset` to `offset + length`; throws when the file is shorter. */
  readSlice(path: string, offset: number, length: number): Uint8Array;
  /** Creates or replaces, without fsync. The directory is made when it is missing. */
  write(path: string, bytes: Uint8Array): void;
  /** Creates an empty file, or throws `EEXIST`: how a process claims a name for itself. */
  claim(path: string): void;
  /** Appends to an existing file and returns the offset the bytes start at. Without fsync. */
  append(path: string, bytes: Uint8Array): number;
  /** Makes a file's bytes survive power loss. */
  fsync(path: string): void;
  /** Makes names in a directory (new, renamed, removed files) survive power loss. */
  fsyncDirectory(path: string): void;
  /** Replaces `to` atomically; both in the same directory. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  makeDirectory(path: string): void;
  /** Names (not paths) in a directory, sorted; an absent directory is empty. */
  list(path: string): readonly string[];
  sizeBytes(path: string): number;
  /** Bytes a user may still write on the disk that holds `path`. */
  freeBytes(path: string): number;
}
