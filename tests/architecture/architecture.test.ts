import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ADAPTER_ROOTS,
  COLUMNS_MAX,
  FILE_LINES_MAX,
  FOLDER_FILES_MAX,
  FUNCTION_LINES_MAX,
  ROOMS,
  roomOf,
  violations,
  wideLines,
} from './rules.ts';
import { linesOf, readSource, type Source } from './source.ts';

const ROOT = join(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');
const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join('src', entry.parentPath.slice(SRC.length), entry.name));
const sources = files
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => readSource(path, readFileSync(join(SRC, '..', path), 'utf8')));

test('the source was found', () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(sources.map((source) => source.path)).toContain('src/platform/ports/clock.ts');
});

test('every file lies in a room', () => {
  expect(files.filter((path) => roomOf(path) === null)).toEqual(['src/README.md']);
});

test('the source keeps the rules: import order, sizes, names, ports', () => {
  expect(violations(sources)).toEqual([]);
});

test('no file of tests, benchmarks, scripts or source is too long or too wide', () => {
  const paths = execFileSync('git', ['ls-files', '*.ts', '*.mjs'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  expect(paths.length).toBeGreaterThan(300);
  const found = paths.flatMap((path) => {
    if (!existsSync(join(ROOT, path))) return [];
    const text = readFileSync(join(ROOT, path), 'utf8');
    return [...(linesOf(text) > FILE_LINES_MAX ? [`${path}: ${linesOf(text)} lines`] : []), ...wideLines(path, text)];
  });
  expect(found).toEqual([]);
});

// The rest keeps the test itself honest: each planted violation must be found.
const CLEAN: readonly Source[] = [
  readSource('src/platform/ports/clock.ts', 'export const nowMs = (): number => Date.now();'),
  readSource('src/engine/runs/run.ts', 'export const run = (): void => undefined;'),
];
/** What the rules say about `text` as a file of the engine room. */
const inEngine = (text: string, path = 'src/engine/runs/planted.ts'): string[] =>
  violations([...CLEAN, readSource(path, text)]);

test.each([
  ['value import', 'import { a } from "../../cli/a.ts"; a();'],
  ['type import', 'import type { A } from "../../cli/a.ts"; export type B = A;'],
  ['inline type import', 'export type B = import("../../cli/a.ts").A;'],
  ['dynamic import', 'export const a = await import("../../cli/a.ts");'],
  ['re-export', 'export * from "../../cli/a.ts";'],
  ['named re-export', 'export { a } from "../../cli/a.ts";'],
])('a later room is found as %s', (_, text) => {
  const later = readSource('src/cli/a.ts', 'export const a = 1;');
  expect(violations([...CLEAN, later, readSource('src/engine/runs/planted.ts', text)])).toEqual([
    'src/engine/runs/planted.ts:1 imports cli, a later room than engine/runs',
  ]);
});

test.each([
  ['value', 'import { realFiles } from "../../platform/node/disk-files.ts"; realFiles.read("x");'],
  ['type', 'import type { Disk } from "../../platform/node/disk-files.ts"; export type B = Disk;'],
])('an adapter of the real world is found as %s import, except where adapters are built', (_, text) => {
  const adapter = readSource('src/platform/node/disk-files.ts', 'export const realFiles = {};');
  expect(violations([...CLEAN, adapter, readSource('src/engine/runs/planted.ts', text)])).toEqual([
    'src/engine/runs/planted.ts:1 imports the adapter src/platform/node/disk-files.ts, which is passed in as a port',
  ]);
  expect(violations([...CLEAN, adapter, readSource('src/api/planted.ts', text.replace('../../', '../'))])).toEqual([]);
});

test('queries write nothing: neither to the store nor to files', () => {
  const writing = /\.transact\(|files\.(?:write|append|rename|remove|claim|makeDirectory)\(/;
  const queries = sources.filter(({ path }) => path.startsWith('src/engine/queries/'));
  expect(queries.length).toBeGreaterThan(5);
  expect(queries.filter(({ text }) => writing.test(text)).map(({ path }) => path)).toEqual([]);
});

test('every place that may build adapters does so', () => {
  const builds = (path: string): boolean =>
    sources.some((one) => one.path.startsWith(path) && one.text.includes('/node/'));
  expect(ADAPTER_ROOTS.filter((root) => !builds(root))).toEqual([]);
});

test('imports of the own and of earlier rooms are fine', () => {
  expect(
    inEngine('import { nowMs } from "../../platform/ports/clock.ts"; import { run } from "./run.ts"; nowMs(); run();'),
  ).toEqual([]);
});

test.each([
  ['import "./absent.ts";', 'imports ./absent.ts, which is no source file in a room'],
  ['import "../../../tests/x.ts";', 'imports ../../../tests/x.ts, which is no source file in a room'],
  [
    'import "../../platform/ports/clock.js";',
    'imports ../../platform/ports/clock.js, which is no source file in a room',
  ],
  ['export const a = (p: string) => import(p);', 'imports a computed path'],
])('%s is found', (text, finding) => {
  expect(inEngine(text)).toEqual([`src/engine/runs/planted.ts:1 ${finding}`]);
});

test.each([
  ['Date.now()', 'Date.now'],
  ['Date["now"]()', 'Date.now'],
  ['{ now: Date.now }', 'Date.now'],
  ['new Date()', 'Date without argument'],
  ['Date()', 'Date without argument'],
  ['Math.random()', 'Math.random'],
  ['AbortSignal.timeout(5)', 'AbortSignal.timeout'],
  ['performance.now()', 'performance'],
  ['setTimeout(() => 1, 1)', 'setTimeout'],
  ['[setInterval]', 'setInterval'],
  ['fetch("x")', 'fetch'],
  ['{ fetch }', 'fetch'],
  ['globalThis.fetch', 'globalThis'],
  ['crypto.randomUUID()', 'crypto'],
  ['process.env["HOME"]', 'process'],
  ['process.hrtime', 'process'],
  ['console.log(1)', 'console'],
])('the ambient effect in %s is found', (expression, use) => {
  expect(inEngine(`export const a = ${expression.startsWith('{') ? `(${expression})` : expression};`)).toEqual([
    `src/engine/runs/planted.ts:1 uses ${use}`,
  ]);
});

test.each([
  ['import { readFileSync } from "node:fs"; readFileSync("x");', 'imports node:fs readFileSync'],
  ['import * as http from "node:http"; http.get("x");', 'imports node:http *'],
  ['import { randomBytes } from "node:crypto"; randomBytes(1);', 'imports node:crypto randomBytes'],
  [
    'import { setTimeout as sleep } from "node:timers/promises"; await sleep(1);',
    'imports node:timers/promises setTimeout',
  ],
  ['export const fs = await import("node:fs");', 'imports node:fs *'],
  ['import { request } from "undici"; request("x");', 'imports undici away from its home'],
  ['import stray from "left-pad"; stray();', 'imports left-pad away from its home'],
])('%s is found', (text, finding) => {
  expect(inEngine(text)).toEqual([`src/engine/runs/planted.ts:1 ${finding}`]);
});

test('what only looks like an effect is not reported', () => {
  expect(
    inEngine(`
    import { createHash } from 'node:crypto';
    import type { Server } from 'node:http';
    import { join } from 'node:path';
    export interface Port { fetch(url: string): Promise<Response>; process: string }
    export type Fetch = typeof globalThis.fetch;
    export const ask = (fetch: Fetch, server: Server): unknown =>
      [fetch('x'), server, createHash('sha256'), join('a', 'b')];
    export const askAgain = ({ fetch }: { fetch: Fetch }): unknown => fetch('x');
    export const day = (timeMs: number): string => new Date(timeMs).toISOString();
    export const clock = { performance: 1, crypto: (port: Port) => port.process };
  `),
  ).toEqual([]);
});

test('the rim may do what its allowance says, and only there', () => {
  const arguments_ = 'export const a = process.argv;';
  const server = 'import { createServer } from "node:http"; export const a = createServer();';
  expect(inEngine(arguments_, 'src/cli/planted.ts')).toEqual([]);
  expect(inEngine(arguments_, 'src/simulation/planted.ts')).toEqual(['src/simulation/planted.ts:1 uses process']);
  expect(inEngine(server, 'src/simulation/planted.ts')).toEqual([]);
  expect(inEngine(server, 'src/cli/planted.ts')).toEqual(['src/cli/planted.ts:1 imports node:http createServer']);
  expect([...inEngine(arguments_), ...inEngine(server)]).toHaveLength(2);
  expect(inEngine('import { request } from "node:http"; request("x");', 'src/cli/planted.ts')).toEqual([
    'src/cli/planted.ts:1 imports node:http request',
  ]);
});

test.each([
  ['try { f(); } catch {}', 'empty catch'],
  ['try { f(); } catch (error) { }', 'empty catch'],
  ['try { f(); } catch { f(); }', 'catch that does not look at the error'],
])('%s is found', (text, finding) => {
  expect(inEngine(`declare function f(): void; ${text}`)).toEqual([`src/engine/runs/planted.ts:1 ${finding}`]);
});

test('long files, long functions, many parameters and boolean parameters are found', () => {
  expect(inEngine('\n'.repeat(FILE_LINES_MAX) + 'export const a = 1;')).toEqual([
    `src/engine/runs/planted.ts: ${FILE_LINES_MAX + 1} lines`,
  ]);
  expect(inEngine(`export function a() {${'\n'.repeat(FUNCTION_LINES_MAX)}}`)).toEqual([
    `src/engine/runs/planted.ts:1 function of ${FUNCTION_LINES_MAX + 1} lines`,
  ]);
  expect(inEngine('export const a = (b: 1, c: 2, d: 3, e: 4, f: 5) => [b, c, d, e, f];')).toEqual([
    'src/engine/runs/planted.ts:1 function of 5 parameters',
  ]);
  expect(inEngine('export class A { b(c: boolean) { return c; } }')).toEqual([
    'src/engine/runs/planted.ts:1 boolean parameter',
  ]);
  expect(inEngine('export const a = (b = false, c: boolean = b) => c;')).toEqual([
    'src/engine/runs/planted.ts:1 boolean parameter',
  ]);
});

test('wide lines, full folders and a type that two files export are found', () => {
  const wide = `// ${'x'.repeat(COLUMNS_MAX)}`;
  expect(inEngine(`${wide}\nexport {};`)).toEqual([`src/engine/runs/planted.ts:1 ${COLUMNS_MAX + 3} columns`]);
  const many = Array.from({ length: FOLDER_FILES_MAX }, (_, at) =>
    readSource(`src/engine/runs/a${at}.ts`, 'export {};'),
  );
  expect(violations([...CLEAN, ...many])).toEqual([`src/engine/runs: ${FOLDER_FILES_MAX + 1} files`]);
  const twice = ['a', 'b'].map((name) => readSource(`src/engine/runs/${name}.ts`, 'export type Twice = 1;'));
  expect(violations([...CLEAN, ...twice])).toEqual([
    'Twice is exported by src/engine/runs/a.ts and src/engine/runs/b.ts',
  ]);
});

test('files outside the rooms, empty names and text that does not parse are found', () => {
  expect(inEngine('export {};', 'src/stray.ts')).toEqual(['src/stray.ts: lies in no room']);
  expect(inEngine('export {};', 'src/engine/runs/run-helpers.ts')).toEqual([
    'src/engine/runs/run-helpers.ts: the name says nothing',
  ]);
  expect(() => readSource('src/engine/runs/broken.ts', 'export const = 1')).toThrow(SyntaxError);
});

test('a room inside another stands after it, and its files are its own', () => {
  for (const [at, room] of ROOMS.entries())
    expect(ROOMS.slice(at + 1).filter((later) => room.startsWith(`${later}/`))).toEqual([]);
  expect(roomOf('src/lake/gold/card.ts')).toBe('lake/gold');
  expect(roomOf('src/lake/layout.ts')).toBe('lake');
  expect(roomOf('src/engine/stray.ts')).toBeNull();
});
