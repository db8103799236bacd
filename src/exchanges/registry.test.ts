import { expect, test } from 'vitest';
import { EXCHANGES, loadAdapters } from './registry.ts';

test('the entry of every exchange says what its adapter does', async () => {
  const said = [...EXCHANGES.values()].map(({ loadAdapter: _load, ...entry }) => entry);
  const done = [...(await loadAdapters()).values()].map(({ exchange, intervals, ranking }) => ({
    exchange,
    intervals,
    hasRanking: ranking !== null,
  }));
  expect(said).toEqual(done);
});
