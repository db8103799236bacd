import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as errors from '../errors/errors.ts';
import * as library from './library.ts';

const isErrorClass = (value: unknown): boolean =>
  typeof value === 'function' && (value.prototype as unknown) instanceof Error;

test('every error class is exported under its own name', () => {
  const classes = Object.entries(errors)
    .filter(([, value]) => isErrorClass(value))
    .map(([name]) => name);
  expect(classes.length).toBeGreaterThan(15);
  expect(classes.filter((name) => !(name in library))).toEqual([]);
});

test('docs/library.md lists exactly the exports; error classes stand for themselves', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/library.md'), 'utf8');
  const cells = [...page.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
  const documented = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name));
  const exported = Object.entries(library)
    .filter(([name, value]) => !isErrorClass(value) || name === 'PipelineError')
    .map(([name]) => name);
  expect(documented.toSorted()).toEqual(exported.toSorted());
});
