import { INTERVALS } from '../../domain/interval.ts';
import type { ExchangeEntry } from '../adapter.ts';

export const binance: ExchangeEntry = {
  exchange: 'binance',
  intervals: INTERVALS,
  hasRanking: true,
  loadAdapter: async () => (await import('./adapter.ts')).binance,
};
