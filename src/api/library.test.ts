import { expect, test } from 'vitest';
import * as errors from '../errors/errors.ts';
import * as library from './library.ts';

test('every error class is exported under its own name', () => {
  const classes = Object.entries(errors)
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof Error)
    .map(([name]) => name);
  expect(classes.length).toBeGreaterThan(15);
  expect(classes.filter((name) => !(name in library))).toEqual([]);
});
