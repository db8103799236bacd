import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { realFiles } from '../../src/platform/node/disk-files.ts';
import type { Exchange } from '../../src/domain/exchange.ts';
import { STAND_INS } from '../../src/simulation/stand-ins/stand-ins.ts';
import { loadRecordings, readRecordings } from '../../src/simulation/recordings.ts';
import { worldOf, type World } from '../../src/simulation/world.ts';

const recordingsOf = (exchange: Exchange): World => {
  const directory = join(import.meta.dirname, '../../recordings', exchange);
  return existsSync(directory) ? loadRecordings(realFiles, directory) : worldOf([]);
};

/** The repository's recordings by exchange. */
export const RECORDINGS: ReadonlyMap<Exchange, World> = new Map(
  [...STAND_INS.keys()].map((exchange) => [exchange, recordingsOf(exchange)]),
);

/**
 * A user's folder of recordings: `binance/`, `coinbase/`, `okx/`, each with a folder per interval. Without such folders
 * it counts as one of Binance's.
 */
export function ownRecordings(folder: string | undefined): {
  readonly worlds: readonly (readonly [Exchange, World])[];
  readonly skipped: readonly string[];
} {
  if (folder === undefined) return { worlds: [], skipped: [] };
  const names = readdirSync(folder);
  const exchanges = names.filter((name) => STAND_INS.has(name));
  const directories =
    exchanges.length > 0
      ? exchanges.map((exchange) => [exchange, join(folder, exchange)] as const)
      : [['binance', folder] as const];
  const read = directories.map(([exchange, directory]) => ({ exchange, ...readRecordings(realFiles, directory) }));
  const foreign =
    exchanges.length > 0 ? names.filter((name) => !exchanges.includes(name)).map((name) => join(folder, name)) : [];
  return {
    worlds: read.map(({ exchange, world }) => [exchange, world] as const),
    skipped: [...read.flatMap(({ skipped: passedOver }) => passedOver), ...foreign],
  };
}
