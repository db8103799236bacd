import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeliveredRow } from '../../exchanges/adapter.ts';
import { selectRows, type Delivery } from './selection.ts';

const HOUR_MS = 3_600_000;
const series = { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' } as const;

function delivery(
  response: number,
  hour: number,
  over: { readonly close?: number; readonly isValid?: boolean; readonly isKnown?: boolean } = {},
): Delivery {
  const row: DeliveredRow = {
    index: hour,
    openTimeMs: hour * HOUR_MS,
    open: 1,
    high: 9,
    low: 1,
    close: over.close ?? 2,
    volume: 1,
    quoteVolume: null,
    trades: null,
    closeTimeMs: null,
  };
  return {
    row,
    response,
    isKnown: over.isKnown ?? false,
    released: null,
    silver: { ...series, ...row },
    validation: { errors: over.isValid === false ? ['ohlc-order'] : [], warnings: [] },
  };
}

test('of two rows for one time in a response the last is kept and the other counted', () => {
  const selection = selectRows([delivery(0, 1, { close: 3 }), delivery(0, 1, { close: 4 })]);
  expect(selection.taken.map(({ row }) => row.close)).toEqual([4]);
  expect(selection).toMatchObject({ duplicates: 1, revisions: [] });
});

test('the same row in two responses is neither a duplicate nor a revision', () => {
  expect(selectRows([delivery(0, 1), delivery(1, 1)])).toMatchObject({ duplicates: 0, revisions: [] });
});

test('a later response with other values wins, and is a revision of the stored row', () => {
  const known = delivery(0, 1, { close: 3, isKnown: true });
  const selection = selectRows([known, delivery(1, 1, { close: 4 }), delivery(2, 1, { close: 5 }), delivery(2, 2)]);
  expect(selection.taken.map(({ row }) => row.close)).toEqual([5, 2]);
  expect(selection.revisions.map(({ before, after }) => [before.response, after.response])).toEqual([[0, 2]]);
  expect(selectRows([known, delivery(1, 1, { close: 4 }), delivery(2, 1, { close: 3 })]).revisions).toEqual([]);
  expect(selectRows([delivery(0, 1, { isValid: false, isKnown: true }), delivery(1, 1)]).revisions).toEqual([]);
});

test('a valid row heals a quarantined one, and an invalid row never replaces a valid one', () => {
  expect(selectRows([delivery(0, 1, { isValid: false }), delivery(1, 1)])).toMatchObject({
    quarantined: [],
    taken: [{ response: 1 }],
  });
  expect(selectRows([delivery(0, 1), delivery(1, 1, { isValid: false })])).toMatchObject({
    quarantined: [],
    taken: [{ response: 0 }],
  });
});

test('every delivered open time is either taken or quarantined, once', () => {
  const one = fc.tuple(fc.nat(3), fc.nat(6), fc.boolean(), fc.nat(2));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (drawn) => {
      const deliveries = drawn
        .map(([response, hour, isValid, close]) => delivery(response, hour, { isValid, close: close + 1 }))
        .toSorted((a, b) => a.response - b.response);
      const { taken, quarantined } = selectRows(deliveries);
      const out = [...taken, ...quarantined].map(({ row }) => row.openTimeMs);
      expect(new Set(out).size).toBe(out.length);
      expect(new Set(out)).toEqual(new Set(deliveries.map(({ row }) => row.openTimeMs)));
      for (const { row } of quarantined)
        expect(
          deliveries.some((other) => other.row.openTimeMs === row.openTimeMs && other.validation.errors.length === 0),
        ).toBe(false);
    }),
  );
});
