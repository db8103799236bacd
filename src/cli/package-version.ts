import { join } from 'node:path';
import { realFiles } from '../platform/node/disk-files.ts';

/** This package's own version. */
export const packageVersion = (): string =>
  (
    JSON.parse(Buffer.from(realFiles.read(join(import.meta.dirname, '../../package.json'))).toString('utf8')) as {
      readonly version: string;
    }
  ).version;
