import { rmSync } from 'node:fs';
import type { Files } from '../ports/files.ts';
import { realProcesses } from './process-identity.ts';

/** A directory of this process for files that exist only during one call. */
export interface Scratch {
  readonly directory: string;
  readonly files: Files;
  /** An unused path. */
  next(): string;
  /** Removes the directory and its content. */
  close(): void;
}

/** Scratch directories made by this process; one process may hold several. */
let scratchesMade = 0;

/** Makes a scratch directory below `parent` and removes those of dead processes. */
export function scratchFiles(parent: string, files: Files): Scratch {
  const processes = realProcesses();
  for (const name of files.list(parent)) {
    const owner = ownerOf(name);
    if (owner && !processes.mayBeAlive(owner)) removeTree(`${parent}/${name}`);
  }
  const { host, pid, startMark } = processes.self;
  const directory = `${parent}/${host}.${pid}.${startMark}.${++scratchesMade}`;
  files.makeDirectory(directory);
  let pathsGiven = 0;
  return {
    directory,
    files,
    next: () => `${directory}/${++pathsGiven}.parquet`,
    close: () => removeTree(directory),
  };
}

const NAME = /^(?<host>.+)\.(?<pid>\d+)\.(?<startMark>\d*)\.\d+$/;

function ownerOf(name: string): { host: string; pid: number; startMark: string } | null {
  const { host, pid, startMark } = NAME.exec(name)?.groups ?? {};
  return host === undefined || pid === undefined || startMark === undefined
    ? null
    : { host, pid: Number(pid), startMark };
}

const removeTree = (path: string): void => rmSync(path, { recursive: true, force: true });
