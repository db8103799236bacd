import type { ExchangeEntry } from '../../src/exchanges/adapter.ts';

export const tidewater: ExchangeEntry = {
  exchange: 'tidewater',
  intervals: ['1m', '5m', '15m', '1h', '1d'],
  hasRanking: false,
  loadAdapter: async () => (await import('./adapter.ts')).tidewater,
};
