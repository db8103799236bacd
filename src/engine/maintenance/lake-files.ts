import { join } from 'node:path';
import type { Pipeline } from '../core/pipeline.ts';

/** Folder levels above a file of bronze or silver: exchange, interval, and the day of fetching or the period. */
const LEVELS = 3;

/** Files of a layer, relative to the data directory. */
export const filesBelow = (at: Pick<Pipeline, 'ports' | 'lake'>, layer: 'bronze' | 'silver'): string[] =>
  below(at, layer, LEVELS);

function below(at: Pick<Pipeline, 'ports' | 'lake'>, directory: string, levels: number): string[] {
  const names = at.ports.files.list(at.lake.at(directory));
  if (levels === 0) return names.map((name) => join(directory, name));
  return names.filter((name) => name.includes('=')).flatMap((name) => below(at, join(directory, name), levels - 1));
}
