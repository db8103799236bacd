import { join } from 'node:path';
import { realFiles } from '../platform/node/disk-files.ts';

/** This package's own version. */
export function packageVersion(): string {
  const text = Buffer.from(realFiles.read(join(import.meta.dirname, '../../package.json'))).toString('utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
