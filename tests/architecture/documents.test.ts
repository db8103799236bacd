import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsDocument } from '../../src/faults/taxonomy/catalogue.ts';
import { ROOMS } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
/** What git tracks, and what it would if everything were added. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));

const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g;
const brokenLinks = (path: string, text: string): string[] =>
  [...text.matchAll(LINK)].flatMap(([, target = '']) => (existsSync(join(ROOT, dirname(path), target)) ? [] : [`${path}: ${target}`]));

/** Folders of somebody's machine, and a registry's address in the lock file; written apart so that this file is clean. */
const PRIVATE = new RegExp([...['work', 'root', 'home'].map((folder) => String.raw`(?<![\w.*})\]])/${folder}/`), `"${'resolved'}": "http`].join('|'));

test('docs/faults.md is what the fault table says (npm run docs writes it)', () => {
  expect(textOf('docs/faults.md')).toBe(faultsDocument());
});

test('src/README.md lists exactly the rooms, in import order', () => {
  const listed = [...textOf('src/README.md').matchAll(/^\| \d+ \| `([^`]+)` \|/gm)].map(([, room]) => room);
  expect(listed).toEqual(ROOMS);
});

test('relative links in every document lead somewhere', () => {
  const documents = files.filter((path) => path.endsWith('.md'));
  expect(documents).toContain('CONTRIBUTING.md');
  expect(documents.flatMap((path) => brokenLinks(path, textOf(path)))).toEqual([]);
});

test('no file names a folder of somebody\'s machine or a registry\'s address', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((path) => PRIVATE.test(textOf(path)))).toEqual([]);
});

test('a broken link and a private path would be found', () => {
  expect(brokenLinks('docs/x.md', '[a](../README-none.md#top) [b](../package.json) [c](https://example.org) [d](#here)')).toEqual(['docs/x.md: ../README-none.md']);
  expect(['work', 'root', 'home'].filter((folder) => !PRIVATE.test(`see /${folder}/x`))).toEqual([]);
  expect(PRIVATE.test('  "resol' + 'ved": "https://registry.example"')).toBe(true);
  expect(PRIVATE.test('src/work/x')).toBe(false);
});
