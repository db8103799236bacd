import type { ExchangeEntry } from '../adapter.ts';

export const coinbase: ExchangeEntry = {
  exchange: 'coinbase',
  intervals: ['1m', '5m', '15m', '1h', '1d'],
  hasRanking: false,
  loadAdapter: async () => (await import('./adapter.ts')).coinbase,
};
