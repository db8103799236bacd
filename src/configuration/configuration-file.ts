import { resolve } from 'node:path';
import type { Files } from '../platform/ports/files.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { nearest } from './nearest.ts';
import { OPTION_KEYS, optionOf, pathOf, type OptionKey } from './options.ts';
import { isFields } from './setting-values.ts';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a configuration file is looked for, and how it is read. */
export interface FileSources {
  /** Absolute; relative paths start here. */
  readonly cwd: string;
  readonly env: Environment;
  /** From --config; null looks for the usual names in `cwd`. */
  readonly file: string | null;
  readonly files: Pick<Files, 'exists' | 'read'>;
  /** Runs a JavaScript or TypeScript file and returns its default export; rejects with what the file throws. */
  readonly defaultExportOf: (path: string) => Promise<unknown>;
}

/** The content of a configuration file by option. */
export interface ConfigurationFile {
  readonly path: string;
  readonly values: ReadonlyMap<OptionKey, unknown>;
}

const FILE_NAMES = ['candlekeep.config.ts', 'candlekeep.config.js', 'candlekeep.config.mjs', 'candlekeep.config.json'];

/**
 * Reads the file named by --config, else the first of the usual names in `cwd`. Without a file there are no values.
 * @throws ConfigurationError (CONFIG_INVALID).
 */
export async function readConfigurationFile(sources: FileSources): Promise<ConfigurationFile> {
  const { cwd, file, env, files } = sources;
  const path =
    file === null
      ? FILE_NAMES.map((name) => resolve(cwd, name)).find((candidate) => files.exists(candidate))
      : resolve(cwd, file);
  if (path === undefined) return { path: '', values: new Map() };
  if (!files.exists(path))
    throw new ConfigurationError({ where: '--config', expected: 'a file that exists', got: `"${path}"` });
  const content = await parseFile(sources, path);
  if (!isFields(content))
    throw new ConfigurationError({
      where: path,
      expected: 'an object of options as its content or default export',
      got: kindOf(content),
    });
  return {
    path,
    values: new Map(
      Object.entries(flattened(content)).map(([name, value]) => [
        optionAt(path, name),
        withVariables(value, { env, where: `${path} ${name}` }),
      ]),
    ),
  };
}

const KEY_OF: ReadonlyMap<string, OptionKey> = new Map(OPTION_KEYS.map((key) => [pathOf(key), key]));
const SECTIONS = new Set([...KEY_OF.keys()].flatMap((path) => (path.includes('.') ? [path.split('.')[0] ?? ''] : [])));

/** `{ alerts: { channels } }` as `{ 'alerts.channels': channels }`. */
const flattened = (content: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(content).flatMap(([name, value]): [string, unknown][] =>
      SECTIONS.has(name) && isFields(value)
        ? Object.entries(value).map(([inner, part]) => [`${name}.${inner}`, part])
        : [[name, value]],
    ),
  );

function optionAt(file: string, name: string): OptionKey {
  const key = KEY_OF.get(name);
  if (key === undefined)
    throw new ConfigurationError({
      where: `${file} ${name}`,
      expected: 'a known option',
      got: `"${name}"`,
      nearest: nearest(name, [...KEY_OF.keys()]),
    });
  const { env, isEnvOnly } = optionOf(key);
  if (isEnvOnly)
    throw new ConfigurationError({
      where: `${file} ${name}`,
      expected: `secrets in the environment (${env} or ${env}_FILE)`,
      got: 'one in the file',
    });
  return key;
}

const VARIABLE = /^\$([A-Z][A-Z0-9_]*)$/;

/** Replaces `"$TEAM_SLACK_URL"` by that variable's value, so that a shared file names secrets without holding them. */
function withVariables(value: unknown, { env, where }: { readonly env: Environment; readonly where: string }): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map((item) => withVariables(item, { env, where }));
  if (isFields(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, withVariables(part, { env, where: `${where}.${name}` })]),
    );
  const name = VARIABLE.exec(typeof value === 'string' ? value : '')?.[1];
  if (name === undefined) return value;
  const text = env[name];
  if (text === undefined || text === '')
    throw new ConfigurationError({ where, expected: `the variable ${name} to be set`, got: 'nothing' });
  return text;
}

const kindOf = (content: unknown): string =>
  Array.isArray(content) ? 'a list' : content === null || content === undefined ? 'nothing' : `a ${typeof content}`;

/** V8 quotes the text around a syntax error, and that text may hold a secret. */
const QUOTED_SOURCE = /, (?:\.\.\.)?".*is not valid JSON$/s;

async function parseFile({ files, defaultExportOf }: FileSources, path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(Buffer.from(files.read(path)).toString('utf8')) as unknown;
    return await defaultExportOf(path);
  } catch (error) {
    throw new ConfigurationError(
      {
        where: path,
        expected: path.endsWith('.json') ? 'JSON' : 'a module with a default export',
        got: Error.isError(error) ? (error.message.replace(QUOTED_SOURCE, '').split('\n')[0] ?? '') : String(error),
      },
      { cause: error },
    );
  }
}
