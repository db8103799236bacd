import type { Cell } from '../domain/candle.ts';
import { isInterval } from '../domain/interval.ts';
import { dayOf, isDay } from '../domain/partition.ts';
import { parseSymbol, symbolPath } from '../domain/symbol.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { isoTime } from './output/schema.ts';
import { readExchange } from '../configuration/setting-values.ts';

/** A cell, or one of its candles. */
export interface CellReference extends Cell {
  /** Open time of the candle meant; null for the whole cell. */
  readonly openTimeMs: number | null;
}

const EXPECTED = 'a cell such as binance/BTC-USDT/1h/2024-06-01';

/** Four or five parts separated by slashes; no other argument has this form. */
export const looksLikeCell = (text: string): boolean => /^[^/\s]+(?:\/[^/\s]+){3,4}$/.test(text);

/**
 * `binance/BTC-USDT/1h/2024-06-01`, `binance/BTC/USDT/1h/2024-06-01T05:00:00Z`.
 * @throws ConfigurationError (CONFIG_INVALID).
 */
export function readCell(text: string, where: string): CellReference {
  const parts = text.split('/');
  const [exchange = '', ...rest] = parts;
  const [interval = '', moment = ''] = rest.slice(-2);
  const symbol = parseSymbol(rest.slice(0, -2).join('/'));
  const [day = ''] = moment.split('T');
  if (parts.length < 4 || symbol === null || !isInterval(interval) || !isDay(day))
    throw new ConfigurationError({ where, expected: EXPECTED, got: `"${text}"` });
  const openTimeMs = moment === day ? null : Date.parse(moment);
  if (openTimeMs !== null && (Number.isNaN(openTimeMs) || dayOf(openTimeMs) !== day))
    throw new ConfigurationError({ where, expected: `${EXPECTED}T05:00:00Z`, got: `"${text}"` });
  return { exchange: readExchange(exchange, where), symbol, interval, day, openTimeMs };
}

export const cellText = ({ exchange, symbol, interval, day }: Cell): string =>
  `${exchange}/${symbolPath(symbol)}/${interval}/${day}`;

export const candleText = ({ exchange, symbol, interval }: Omit<Cell, 'day'>, openTimeMs: number): string =>
  `${exchange}/${symbolPath(symbol)}/${interval}/${isoTime(openTimeMs) ?? ''}`;
