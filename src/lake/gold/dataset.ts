import { createHash } from 'node:crypto';
import { dirname, join, relative } from 'node:path';
import type { Files } from '../../platform/ports/files.ts';
import { isTemp, writeAtomic } from '../../platform/atomic-write.ts';
import { dayOf } from '../../domain/partition.ts';
import type { PeriodKey } from '../layout.ts';
import type { ManifestEntry } from '../manifest.ts';
import { renderCard, type CardRow } from './card.ts';

/** One file of the dataset, ready to be published. */
export interface GoldFile {
  /** In the repository, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** The due candles of one period, ready to be published. */
export interface GoldPeriod
  extends PeriodKey,
    Pick<ManifestEntry, 'rowsIn' | 'rowsOut' | 'removedByRule' | 'warningsByRule' | 'symbols'> {
  readonly bytes: Uint8Array;
}

export interface DatasetInput {
  /** `owner/name`, or null for a folder that is not published. */
  readonly repo: string | null;
  readonly periods: readonly GoldPeriod[];
  /** Pending and otherwise missing candles by `exchange symbol interval`, for the card. */
  readonly missing: ReadonlyMap<string, number>;
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const fileOf = (path: string, content: Uint8Array | string): GoldFile => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, bytes, sha256: sha256Of(bytes) };
};

/** `data/interval=1h/exchange=binance/2024-06.parquet`. */
const goldPath = ({ exchange, interval, period }: PeriodKey): string =>
  `data/interval=${interval}/exchange=${exchange}/${period}.parquet`;

/** Files under this folder of the repository are removed when they are no longer part of the dataset. */
export const DATA_FOLDER = 'data/';
const META_FOLDER = '_meta/';

/** The whole dataset as files. The same silver gives the same bytes, at any time and on any machine. */
export function datasetFiles(input: DatasetInput): GoldFile[] {
  const periods = input.periods.toSorted((a, b) => (goldPath(a) < goldPath(b) ? -1 : 1));
  const data = periods.map((period) => fileOf(goldPath(period), period.bytes));
  const described = periods.map((period, at) => ({
    path: goldPath(period),
    exchange: period.exchange,
    interval: period.interval,
    period: period.period,
    sha256: data[at]?.sha256,
    rows: period.rowsOut,
    rows_in: period.rowsIn,
    removed_by_rule: period.removedByRule,
    warnings_by_rule: period.warningsByRule,
    symbols: period.symbols,
  }));
  const meta = [
    fileOf('README.md', renderCard({ repo: input.repo, rows: cardRows(input) })),
    fileOf(`${META_FOLDER}manifest.json`, `${JSON.stringify({ schema: 1, files: described }, null, 1)}\n`),
  ];
  const sums = [...meta, ...data]
    .map((file) => `${file.sha256}  ${file.path}\n`)
    .toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
    .join('');
  return [...meta, fileOf(`${META_FOLDER}SHA256SUMS`, sums), ...data];
}

function cardRows({ periods, missing }: DatasetInput): CardRow[] {
  const spans = periods.flatMap((period) =>
    period.symbols.map((span) => ({ exchange: period.exchange, interval: period.interval, ...span })),
  );
  const series = Map.groupBy(spans, (span) => `${span.exchange} ${span.symbol} ${span.interval}`);
  return [...series]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, own]) => ({
      exchange: own[0]?.exchange ?? '',
      symbol: own[0]?.symbol ?? '',
      interval: own[0]?.interval ?? '',
      firstDay: dayOf(Math.min(...own.map((span) => span.firstOpenMs))),
      lastDay: dayOf(Math.max(...own.map((span) => span.lastOpenMs))),
      candles: own.reduce((sum, span) => sum + span.rows, 0),
      missing: missing.get(key) ?? 0,
    }));
}

/**
 * Makes `directory` hold exactly the dataset: writes files that differ, removes data files that are no longer part of
 * it, and temporary files of a crash.
 */
export function writeDataset(
  files: Files,
  directory: string,
  dataset: readonly GoldFile[],
): { readonly written: number; readonly removed: number } {
  let written = 0;
  for (const file of dataset) {
    const path = join(directory, file.path);
    if (files.exists(path) && sha256Of(files.read(path)) === file.sha256) continue;
    writeAtomicIn(files, path, file.bytes);
    written += 1;
  }
  const kept = new Set(dataset.map((file) => file.path));
  const stale = filesBelow(files, join(directory, DATA_FOLDER)).filter((path) => !kept.has(relative(directory, path)));
  const left = [directory, join(directory, META_FOLDER)].flatMap((folder) =>
    files
      .list(folder)
      .filter(isTemp)
      .map((name) => join(folder, name)),
  );
  for (const path of [...stale, ...left]) files.remove(path);
  return { written, removed: stale.length };
}

function writeAtomicIn(files: Files, path: string, bytes: Uint8Array): void {
  files.makeDirectory(dirname(path));
  writeAtomic(files, path, bytes);
}

/** `data/interval=*\/exchange=*\/*.parquet` is three levels deep. */
function filesBelow(files: Files, directory: string): string[] {
  const children = (parent: string): string[] => files.list(parent).map((name) => join(parent, name));
  return children(directory).flatMap(children).flatMap(children);
}
