import { pathToFileURL } from 'node:url';

/** Runs a user's JavaScript or TypeScript file and returns its default export; rejects with the file's error. */
export const defaultExportOf = async (path: string): Promise<unknown> =>
  ((await import(pathToFileURL(path).href)) as { readonly default?: unknown }).default;
