import { dirname } from 'node:path';
import { diskError } from '../../../src/platform/disk-error.ts';
import type { Files } from '../../../src/platform/ports/files.ts';
import type { Random } from '../../../src/platform/ports/random.ts';
import { current, nameOf, VolatileDisk } from './volatile-disk.ts';

/** A disk in memory that can lose power. */
export interface VolatileFiles extends Files {
  /**
   * Power loss. Without `random`, everything unsynced is lost. With it, each file keeps its old bytes or a torn part of
   * the new ones, and each directory keeps some of its first changes. Directories survive, because a journaling file
   * system makes them durable with the first sync inside.
   */
  crash(random?: Random): void;
  /** Sets the capacity of the disk; writing beyond it is `ENOSPC`. */
  setCapacity(capacityBytes: number): void;
}

export function volatileFiles({ capacityBytes = Infinity }: { readonly capacityBytes?: number } = {}): VolatileFiles {
  const disk = new VolatileDisk(capacityBytes);
  return {
    exists: (path) => disk.directories.has(path) || disk.find(path) !== undefined,
    read: (path) => current(disk.need(path, 'open')).slice(),
    readSlice: (path, offset, length) => {
      const { size, bytes } = disk.need(path, 'open');
      if (offset + length > size)
        throw new RangeError(`${path} ends at byte ${size}, ${offset + length} bytes were requested`);
      return bytes.slice(offset, offset + length);
    },
    write: (path, bytes) => {
      const inode = disk.find(path) ?? disk.create(path);
      inode.bytes = new Uint8Array();
      inode.size = 0;
      disk.append(path, bytes);
    },
    claim: (path) => {
      if (disk.find(path) || disk.directories.has(path)) throw diskError('EEXIST', 'open', path);
      disk.create(path);
    },
    append: (path, bytes) => {
      const inode = disk.need(path, 'open');
      const offset = inode.size;
      disk.append(path, bytes);
      return offset;
    },
    fsync: (path) => {
      const inode = disk.need(path, 'open');
      inode.durable = current(inode);
    },
    fsyncDirectory: (path) => {
      const directory = disk.directories.get(path);
      if (!directory) throw diskError('ENOENT', 'open', path);
      directory.durableNames = new Map(directory.names);
      directory.unsynced = [];
    },
    rename: (from, to) => {
      // The port's contract is narrower than the system call.
      if (dirname(from) !== dirname(to)) throw diskError('EXDEV', 'rename', from);
      disk.need(from, 'rename');
      disk.change(dirname(from), { kind: 'rename', from: nameOf(from), to: nameOf(to) });
    },
    remove: (path) => {
      if (disk.find(path)) disk.change(dirname(path), { kind: 'unlink', name: nameOf(path) });
    },
    makeDirectory: (path) => void disk.makeDirectory(path),
    list: (path) => {
      const directory = disk.directories.get(path);
      return directory ? [...directory.names.keys(), ...directory.subdirectories].toSorted() : [];
    },
    sizeBytes: (path) => disk.need(path, 'stat').size,
    freeBytes: () => disk.freeBytes(),
    setCapacity: (bytes) => {
      disk.capacityBytes = bytes;
    },
    crash: (random) => disk.crash(random),
  };
}
