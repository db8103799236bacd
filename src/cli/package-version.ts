import { createRequire } from 'node:module';

/** This package's own version. */
export const packageVersion = (): string =>
  (createRequire(import.meta.url)('../../package.json') as { readonly version: string }).version;
