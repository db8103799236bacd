import { INTERVALS } from '../../domain/interval.ts';
import type { ExchangeEntry } from '../adapter.ts';

export const okx: ExchangeEntry = {
  exchange: 'okx',
  intervals: INTERVALS,
  hasRanking: true,
  loadAdapter: async () => (await import('./adapter.ts')).okx,
};
