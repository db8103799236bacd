import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DefectError, exchangeError } from './errors.ts';
import { fromRecord, toRecord } from './fault-record.ts';

const limited = (cause?: unknown): Error =>
  exchangeError(
    'EXCHANGE_RATE_LIMITED',
    'binance limits our requests',
    { exchange: 'binance', status: 429, venueCode: '-1003', retryAfterMs: 7_000 },
    { cause },
  );

test('a fault becomes plain JSON with its rule, facts and causes, without a stack', () => {
  const cause = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNRESET' }) });
  expect(toRecord(limited(cause))).toEqual({
    v: 1,
    code: 'EXCHANGE_RATE_LIMITED',
    kind: 'transient',
    level: 'warning',
    message: 'binance limits our requests',
    facts: { exchange: 'binance', status: 429, venueCode: '-1003', retryAfterMs: 7_000 },
    causes: ['Error: outer', 'Error: inner (ECONNRESET)'],
    stack: null,
  });
});

test('a record reads back as it was written, causes included', () => {
  const text = fc.string();
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 4 }), (message, causes) => {
      const cause = causes.reduce<Error | undefined>((inner, outer) => new Error(outer, { cause: inner }), undefined);
      const record = toRecord(new DefectError(message, { cause }));
      expect(record.causes).toHaveLength(causes.length);
      expect(fromRecord(JSON.stringify(record))).toEqual(record);
    }),
  );
});

test('an unexpected error is recorded as a defect, with its own stack and that of its cause', () => {
  const record = toRecord(new DefectError('the run failed', { cause: new TypeError('x is undefined') }));
  expect(record).toMatchObject({
    code: 'DEFECT',
    kind: 'defect',
    level: 'critical',
    causes: ['TypeError: x is undefined'],
  });
  expect(record.stack).toContain('fault-record.test.ts');
  expect(record.stack).toContain('caused by TypeError: x is undefined');
  expect(toRecord(new RangeError('bad index'))).toMatchObject({ code: 'DEFECT', message: 'bad index', facts: {} });
  expect(toRecord('just text')).toMatchObject({ code: 'DEFECT', message: 'just text', causes: [], stack: null });
});

test('a cause that leads back to itself ends', () => {
  const error = new Error('round');
  error.cause = error;
  expect(toRecord(limited(error)).causes.length).toBeLessThanOrEqual(8);
});

test.each(['null', '{}', '{"v":2,"code":"DEFECT"}', '{"v":1,"code":"toString"}', '[]', '"DEFECT"'])(
  '%s is no fault record',
  (json) => {
    expect(() => fromRecord(json)).toThrow(TypeError);
  },
);
