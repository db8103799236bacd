import { expect, test } from 'vitest';
import { candlesOf, concerns, KNOWN_INCIDENTS } from './known-incidents.ts';

const HOUR_MS = 3_600_000;
const byId = (id: string) => KNOWN_INCIDENTS.find((incident) => incident.id === id)!;

test('every incident has a duration and a source and is past; those of a venue are in order', () => {
  for (const { id, fromMs, toMs, source } of KNOWN_INCIDENTS) {
    expect([id, toMs > fromMs, fromMs > Date.UTC(2017, 0), toMs < Date.UTC(2026, 10), source !== ''], id).toEqual([
      id,
      true,
      true,
      true,
      true,
    ]);
  }
  for (const own of Map.groupBy(
    KNOWN_INCIDENTS.filter(({ symbols }) => symbols === null),
    ({ exchange }) => exchange,
  ).values()) {
    for (const [at, incident] of own.entries())
      expect(incident.fromMs, incident.id).toBeGreaterThan(own[at - 1]?.toMs ?? 0);
  }
});

test('an incident does not explain a candle that it covers in part', () => {
  const halt = byId('binance 2023-03-24T11:28Z');
  expect(candlesOf(halt, HOUR_MS)).toEqual({ fromMs: Date.UTC(2023, 2, 24, 12), toMs: Date.UTC(2023, 2, 24, 14) });
  const day = candlesOf(halt, 24 * HOUR_MS);
  expect(day.toMs).toBeLessThanOrEqual(day.fromMs);
});

test('an incident of one market does not concern the others', () => {
  const eth = byId('coinbase 2025-04-25T07:30Z');
  expect(['ETH/USD', 'BTC/USD'].map((symbol) => concerns(eth, { exchange: 'coinbase', symbol }))).toEqual([
    true,
    false,
  ]);
  expect(concerns(byId('okx 2022-12-18T09:00Z'), { exchange: 'okx', symbol: 'BTC/USDT' })).toBe(true);
  expect(concerns(byId('okx 2022-12-18T09:00Z'), { exchange: 'binance', symbol: 'BTC/USDT' })).toBe(false);
});
