import { createHash } from 'node:crypto';
import { dirname, join, relative } from 'node:path';
import { writeAtomic, type Files } from '../../kernel/files.ts';
import { dayOf } from '../../market/partition.ts';
import type { ManifestEntry } from '../lake/manifest.ts';
import { renderCard, type CardRow } from './card.ts';

/** One file of the dataset, ready to be published. */
export interface GoldFile {
  /** In the repository, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

export interface DatasetInput {
  /** `owner/name`, or null for a folder that is not published. */
  readonly repo: string | null;
  readonly manifest: readonly ManifestEntry[];
  /** Pending and otherwise missing candles by `exchange symbol interval`, for the card. */
  readonly missing: ReadonlyMap<string, number>;
  readonly read: (entry: ManifestEntry) => Uint8Array;
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const fileOf = (path: string, content: Uint8Array | string): GoldFile => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, bytes, sha256: sha256Of(bytes) };
};

/** `data/interval=1h/exchange=binance/2024-06.parquet`: the bytes of the silver file of the same period. */
const goldPath = (entry: ManifestEntry): string => `data/interval=${entry.interval}/exchange=${entry.exchange}/${entry.period}.parquet`;

/** Where everything under this folder of the repository is ours to remove when it is no longer made. */
export const DATA_FOLDER = 'data/';

/** The whole dataset as files. The same silver gives the same bytes: nothing in it depends on when or by whom it was made. */
export function datasetFiles(input: DatasetInput): GoldFile[] {
  const entries = input.manifest.toSorted((a, b) => (goldPath(a) < goldPath(b) ? -1 : 1));
  const data = entries.map((entry) => fileOf(goldPath(entry), input.read(entry)));
  const described = entries.map((entry, at) => ({
    path: goldPath(entry), exchange: entry.exchange, interval: entry.interval, period: entry.period, sha256: data[at]?.sha256, rows: entry.rowsOut,
    rows_in: entry.rowsIn, removed_by_rule: entry.removedByRule, warnings_by_rule: entry.warningsByRule, symbols: entry.symbols,
  }));
  const meta = [fileOf('README.md', renderCard({ repo: input.repo, rows: cardRows(input) })), fileOf('_meta/manifest.json', `${JSON.stringify({ schema: 1, files: described }, null, 1)}\n`)];
  const sums = [...meta, ...data].map((file) => `${file.sha256}  ${file.path}\n`).toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('');
  return [...meta, fileOf('_meta/SHA256SUMS', sums), ...data];
}

function cardRows({ manifest, missing }: DatasetInput): CardRow[] {
  const spans = manifest.flatMap((entry) => entry.symbols.map((span) => ({ exchange: entry.exchange, interval: entry.interval, ...span })));
  const series = Map.groupBy(spans, (span) => `${span.exchange} ${span.symbol} ${span.interval}`);
  return [...series].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, own]) => ({
    exchange: own[0]?.exchange ?? '',
    symbol: own[0]?.symbol ?? '',
    interval: own[0]?.interval ?? '',
    firstDay: dayOf(Math.min(...own.map((span) => span.firstOpenMs))),
    lastDay: dayOf(Math.max(...own.map((span) => span.lastOpenMs))),
    candles: own.reduce((sum, span) => sum + span.rows, 0),
    missing: missing.get(key) ?? 0,
  }));
}

/** Makes `directory` hold exactly the dataset: writes what differs, removes data files that are no longer part of it. */
export function writeDataset(files: Files, directory: string, dataset: readonly GoldFile[]): { readonly written: number; readonly removed: number } {
  let written = 0;
  for (const file of dataset) {
    const path = join(directory, file.path);
    if (files.exists(path) && sha256Of(files.read(path)) === file.sha256) continue;
    writeAtomicIn(files, path, file.bytes);
    written += 1;
  }
  const kept = new Set(dataset.map((file) => file.path));
  const stale = filesBelow(files, join(directory, DATA_FOLDER)).filter((path) => !kept.has(relative(directory, path)));
  for (const path of stale) files.remove(path);
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
