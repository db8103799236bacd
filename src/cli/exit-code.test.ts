import { expect, test } from 'vitest';
import { worstEnding } from '../engine/core/ending.ts';
import { FAULT_CODES } from '../errors/table.ts';
import { EXIT, exitOfFault } from './exit-code.ts';

test('every code of the fault table has an exit code', () => {
  for (const code of FAULT_CODES) expect(Object.values(EXIT)).toContain(exitOfFault(code));
});

test('if several exit codes apply, the documented order decides', () => {
  const order = [
    'interrupted',
    'terminated',
    'defect',
    'usage',
    'leased',
    'refused',
    'unreachable',
    'assetFailed',
    'dataQuality',
    'partial',
  ] as const;
  expect(order.map((ending) => EXIT[ending])).toEqual([130, 143, 1, 2, 9, 4, 7, 5, 6, 3]);
  order.forEach((ending, at) => expect(worstEnding(order.slice(at).toReversed())).toBe(ending));
});
