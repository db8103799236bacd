import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, readSource, type Source } from './source.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What users run and import. */
const ENTRIES = ['src/cli/main.ts', 'src/api/library.ts'];

/** Files that no entry imports, directly or through others. */
function unreachable(sources: readonly Source[], entries: readonly string[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    const folder = posix.dirname(path);
    for (const { from } of importsOf(source)) if (from?.startsWith('.')) open.push(posix.join(folder, from));
  }
  return sources.map(({ path }) => path).filter((path) => !reached.has(path));
}

test('every source file is imported by the command line or by the library', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join('src', name))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => readSource(path, readFileSync(join(ROOT, path), 'utf8')));
  expect(sources.length).toBeGreaterThan(100);
  expect(unreachable(sources, ENTRIES)).toEqual([]);
});

test('a file that only tests import is found, and an import chain, a type and a dynamic import count', () => {
  const sources = [
    readSource('src/cli/main.ts', 'import "./a.ts"; export const b = await import("../b.ts");'),
    readSource('src/cli/a.ts', 'import type { C } from "./deep/c.ts"; export type A = C;'),
    readSource('src/cli/deep/c.ts', 'export type C = 1;'),
    readSource('src/b.ts', 'export {};'),
    readSource('src/stray.ts', 'import "./cli/a.ts";'),
  ];
  expect(unreachable(sources, ENTRIES)).toEqual(['src/stray.ts']);
});
