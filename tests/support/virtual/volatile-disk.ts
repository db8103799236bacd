import { dirname } from 'node:path';
import { diskError } from '../../../src/platform/disk-error.ts';
import type { Random } from '../../../src/platform/ports/random.ts';
import { randomInt } from '../../../src/platform/seeded-random.ts';

/** The bytes of a file, which may have several names. */
export interface Inode {
  /** Has spare capacity beyond `size`, so that appends do not copy; bytes below `size` never change in place. */
  bytes: Uint8Array;
  size: number;
  /** Durable content. */
  durable: Uint8Array;
}

type Names = Map<string, Inode>;
type NameChange =
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly name: string };

export interface Directory {
  names: Names;
  durableNames: Names;
  /** Changes of `names` not yet in `durableNames`, oldest first. */
  unsynced: NameChange[];
  readonly subdirectories: Set<string>;
}

/** Directories, names and bytes of a disk in memory, current and durable. */
export class VolatileDisk {
  readonly directories = new Map<string, Directory>();
  capacityBytes: number;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  makeDirectory(path: string): Directory {
    const known = this.directories.get(path);
    if (known) return known;
    const made: Directory = { names: new Map(), durableNames: new Map(), unsynced: [], subdirectories: new Set() };
    this.directories.set(path, made);
    if (dirname(path) !== path) this.makeDirectory(dirname(path)).subdirectories.add(nameOf(path));
    return made;
  }

  find(path: string): Inode | undefined {
    return this.directories.get(dirname(path))?.names.get(nameOf(path));
  }

  /** @throws `ENOENT`, or `EISDIR` for a directory. */
  need(path: string, syscall: string): Inode {
    const inode = this.find(path);
    if (!inode) throw diskError(this.directories.has(path) ? 'EISDIR' : 'ENOENT', syscall, path);
    return inode;
  }

  create(path: string): Inode {
    if (this.directories.has(path)) throw diskError('EISDIR', 'open', path);
    const inode: Inode = { bytes: new Uint8Array(), size: 0, durable: new Uint8Array() };
    this.change(dirname(path), { kind: 'link', name: nameOf(path), inode });
    return inode;
  }

  change(directoryPath: string, step: NameChange): void {
    const directory = this.makeDirectory(directoryPath);
    apply(directory.names, step);
    directory.unsynced.push(step);
  }

  freeBytes(): number {
    if (this.capacityBytes === Infinity) return Infinity; // the sum below is slow on a large disk
    let usedBytes = 0;
    for (const { names } of this.directories.values()) for (const { size } of names.values()) usedBytes += size;
    return Math.max(0, this.capacityBytes - usedBytes);
  }

  /** Like a real disk, writes the bytes that fit before it fails. @throws `ENOSPC` */
  append(path: string, bytes: Uint8Array): void {
    const fitting = bytes.subarray(0, Math.min(bytes.length, this.freeBytes()));
    extend(this.need(path, 'open'), fitting);
    if (fitting.length < bytes.length) throw diskError('ENOSPC', 'write', path);
  }

  crash(random: Random | undefined): void {
    for (const directory of this.directories.values()) loseNames(directory, random);
    const survivors = new Set([...this.directories.values()].flatMap(({ names }) => [...names.values()]));
    for (const inode of survivors) loseBytes(inode, random);
  }
}

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const current = ({ bytes, size }: Inode): Uint8Array => bytes.subarray(0, size);

function apply(names: Names, change: NameChange): void {
  switch (change.kind) {
    case 'link':
      names.set(change.name, change.inode);
      return;
    case 'unlink':
      names.delete(change.name);
      return;
    case 'rename': {
      const inode = names.get(change.from);
      if (!inode) return;
      names.delete(change.from);
      names.set(change.to, inode);
      return;
    }
    default:
      change satisfies never;
  }
}

function extend(inode: Inode, more: Uint8Array): void {
  const size = inode.size + more.length;
  if (size > inode.bytes.length) {
    const roomier = new Uint8Array(Math.max(size, inode.size * 2));
    roomier.set(current(inode));
    inode.bytes = roomier;
  }
  inode.bytes.set(more, inode.size);
  inode.size = size;
}

/** A journal keeps the order of changes: a later change of a directory survives only with the earlier ones. */
function loseNames(directory: Directory, random: Random | undefined): void {
  const keptTotal = random ? randomInt(random, directory.unsynced.length + 1) : 0;
  for (const step of directory.unsynced.slice(0, keptTotal)) apply(directory.durableNames, step);
  directory.names = new Map(directory.durableNames);
  directory.unsynced = [];
}

function loseBytes(inode: Inode, random: Random | undefined): void {
  const { durable } = inode;
  const written = current(inode);
  const isAppended =
    written.length >= durable.length && Buffer.compare(written.subarray(0, durable.length), durable) === 0;
  const isKept = random !== undefined && random.next() < 0.5;
  const leastBytes = isAppended ? durable.length : 0;
  const survived = isKept
    ? written.subarray(0, leastBytes + randomInt(random, written.length - leastBytes + 1))
    : durable;
  // A copy, because later appends to a shared buffer would change `durable`.
  inode.bytes = survived.slice();
  inode.size = survived.length;
  inode.durable = inode.bytes;
}
