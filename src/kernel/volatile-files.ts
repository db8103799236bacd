import { dirname } from 'node:path';
import { diskError } from './disk-error.ts';
import type { Files } from './files.ts';
import { randomInt, type Random } from './random.ts';

/** A disk in memory that can lose power. */
export interface VolatileFiles extends Files {
  /**
   * Power loss. Without `random` everything not yet synced is lost. With it, chance decides: each file
   * keeps its old bytes or a torn part of the new ones, each directory the first few of its changes.
   * Directories themselves survive, as a journaling file system makes them durable with the first sync inside.
   */
  crash(random?: Random): void;
  /** Room on the disk from now on, what is there included; writing beyond it is `ENOSPC`. */
  setCapacity(capacityBytes: number): void;
}

/** A file's bytes, found under any number of names. */
interface Inode {
  /** Has room beyond `size`, so that appending does not copy; bytes below `size` never change in place. */
  bytes: Uint8Array;
  size: number;
  /** What the platter holds. */
  durable: Uint8Array;
}

type Names = Map<string, Inode>;
type NameChange =
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly name: string };

interface Directory {
  names: Names;
  durableNames: Names;
  /** Changes of `names` that `durableNames` has not seen, oldest first. */
  unsynced: NameChange[];
  readonly subdirectories: Set<string>;
}

export function volatileFiles(options: { readonly capacityBytes?: number } = {}): VolatileFiles {
  let capacityBytes = options.capacityBytes ?? Infinity;
  const directories = new Map<string, Directory>();

  const makeDirectory = (path: string): Directory => {
    const known = directories.get(path);
    if (known) return known;
    const made: Directory = { names: new Map(), durableNames: new Map(), unsynced: [], subdirectories: new Set() };
    directories.set(path, made);
    if (dirname(path) !== path) makeDirectory(dirname(path)).subdirectories.add(nameOf(path));
    return made;
  };
  const find = (path: string): Inode | undefined => directories.get(dirname(path))?.names.get(nameOf(path));
  const need = (path: string, syscall: string): Inode => {
    const inode = find(path);
    if (!inode) throw diskError(directories.has(path) ? 'EISDIR' : 'ENOENT', syscall, path);
    return inode;
  };
  const change = (directory: Directory, step: NameChange): void => {
    apply(directory.names, step);
    directory.unsynced.push(step);
  };
  const create = (path: string): Inode => {
    if (directories.has(path)) throw diskError('EISDIR', 'open', path);
    const inode: Inode = { bytes: new Uint8Array(), size: 0, durable: new Uint8Array() };
    change(makeDirectory(dirname(path)), { kind: 'link', name: nameOf(path), inode });
    return inode;
  };
  const freeBytes = (): number => {
    if (capacityBytes === Infinity) return Infinity; // the count below is slow on a large disk
    let usedBytes = 0;
    for (const { names } of directories.values()) for (const { size } of names.values()) usedBytes += size;
    return Math.max(0, capacityBytes - usedBytes);
  };
  /** Like a real disk, writes what fits before it fails. */
  const grow = (path: string, inode: Inode, bytes: Uint8Array): void => {
    const fitting = bytes.subarray(0, Math.min(bytes.length, freeBytes()));
    extend(inode, fitting);
    if (fitting.length < bytes.length) throw diskError('ENOSPC', 'write', path);
  };

  return {
    exists: (path) => directories.has(path) || find(path) !== undefined,
    read: (path) => current(need(path, 'open')).slice(),
    readSlice: (path, offset, length) => {
      const { size, bytes } = need(path, 'open');
      if (offset + length > size) throw new RangeError(`${path} ends at byte ${size}, ${offset + length} were asked`);
      return bytes.slice(offset, offset + length);
    },
    write: (path, bytes) => {
      const inode = find(path) ?? create(path);
      inode.bytes = new Uint8Array();
      inode.size = 0;
      grow(path, inode, bytes);
    },
    claim: (path) => {
      if (find(path) || directories.has(path)) throw diskError('EEXIST', 'open', path);
      create(path);
    },
    append: (path, bytes) => {
      const inode = need(path, 'open');
      const offset = inode.size;
      grow(path, inode, bytes);
      return offset;
    },
    fsync: (path) => {
      const inode = need(path, 'open');
      inode.durable = current(inode);
    },
    fsyncDirectory: (path) => {
      const directory = directories.get(path);
      if (!directory) throw diskError('ENOENT', 'open', path);
      directory.durableNames = new Map(directory.names);
      directory.unsynced = [];
    },
    rename: (from, to) => {
      if (dirname(from) !== dirname(to)) throw diskError('EXDEV', 'rename', from); // the port's contract is narrower than the call
      need(from, 'rename');
      change(makeDirectory(dirname(from)), { kind: 'rename', from: nameOf(from), to: nameOf(to) });
    },
    remove: (path) => {
      if (find(path)) change(makeDirectory(dirname(path)), { kind: 'unlink', name: nameOf(path) });
    },
    makeDirectory: (path) => void makeDirectory(path),
    list: (path) => {
      const directory = directories.get(path);
      return directory ? [...directory.names.keys(), ...directory.subdirectories].toSorted() : [];
    },
    sizeBytes: (path) => need(path, 'stat').size,
    freeBytes,
    setCapacity: (bytes) => {
      capacityBytes = bytes;
    },
    crash: (random) => {
      for (const directory of directories.values()) loseNames(directory, random);
      const survivors = new Set([...directories.values()].flatMap(({ names }) => [...names.values()]));
      for (const inode of survivors) loseBytes(inode, random);
    },
  };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const current = ({ bytes, size }: Inode): Uint8Array => bytes.subarray(0, size);

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

/** A journal keeps the order of changes: a later one never survives an earlier one of its directory. */
function loseNames(directory: Directory, random: Random | undefined): void {
  const keptTotal = random ? randomInt(random, directory.unsynced.length + 1) : 0;
  for (const step of directory.unsynced.slice(0, keptTotal)) apply(directory.durableNames, step);
  directory.names = new Map(directory.durableNames);
  directory.unsynced = [];
}

function loseBytes(inode: Inode, random: Random | undefined): void {
  const { durable } = inode;
  const written = current(inode);
  const isAppended = written.length >= durable.length && Buffer.compare(written.subarray(0, durable.length), durable) === 0;
  const isKept = random !== undefined && random.next() < 0.5;
  const leastBytes = isAppended ? durable.length : 0;
  const survived = isKept ? written.subarray(0, leastBytes + randomInt(random, written.length - leastBytes + 1)) : durable;
  // A copy: the torn-off rest of a shared buffer must not be written over what `durable` still shows.
  inode.bytes = survived.slice();
  inode.size = survived.length;
  inode.durable = inode.bytes;
}
