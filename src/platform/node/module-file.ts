import { pathToFileURL } from 'node:url';

/** Runs a user's own JavaScript or TypeScript file and returns its default export; rejects with what the file throws. */
export const defaultExportOf = async (path: string): Promise<unknown> =>
  ((await import(pathToFileURL(path).href)) as { readonly default?: unknown }).default;
