import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import { choiceText, type MarketChoice } from '../domain/symbol-selector.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import type { MarketChoices } from '../engine/core/symbol-resolution.ts';
import type { VenueChoice } from './setting-values.ts';

const RANKING_EXCHANGES = [...EXCHANGES.values()]
  .filter(({ hasRanking }) => hasRanking)
  .map(({ exchange }) => exchange);

/**
 * The choices of each exchange; exchanges without a choice are absent. `where` names the file and key, flag or
 * variable.
 * @throws ConfigurationError (CONFIG_INVALID) for a ranking at an exchange that has none, and when nothing is left.
 */
export function choicesByVenue(
  exchanges: readonly Exchange[],
  choices: readonly VenueChoice[],
  where: string,
): MarketChoices {
  const byVenue = exchanges.map((exchange): [Exchange, MarketChoice[]] => [
    exchange,
    choices.filter((one) => one.exchange === null || one.exchange === exchange).map((one) => one.choice),
  ]);
  for (const [exchange, own] of byVenue) {
    const ranking = own.find((choice) => choice.kind === 'top');
    if (ranking === undefined || RANKING_EXCHANGES.includes(exchange)) continue;
    throw new ConfigurationError({
      where,
      expected: `top:N at an exchange that states volumes in quote currency (${RANKING_EXCHANGES.join(', ')})`,
      got: `${choiceText(ranking)} at ${exchange}`,
    });
  }
  const left = byVenue.filter(([, own]) => own.length > 0);
  if (left.length === 0)
    throw new ConfigurationError({
      where,
      expected: `symbols of ${exchanges.join(', ')}`,
      got: choices.map(textOf).join(', '),
    });
  return new Map(left);
}

/** The choice in canonical spelling. */
export const textOf = ({ exchange, choice }: VenueChoice): string =>
  `${exchange === null ? '' : `${exchange}:`}${choiceText(choice)}`;

interface AbsentCandles {
  readonly exchange: Exchange;
  readonly interval: Interval;
}

const absentCandles = (exchanges: readonly Exchange[], intervals: readonly Interval[]): readonly AbsentCandles[] =>
  exchanges.flatMap((exchange) =>
    intervals
      .filter((interval) => !EXCHANGES.get(exchange)?.intervals.includes(interval))
      .map((interval) => ({ exchange, interval })),
  );

/** @throws ConfigurationError (CONFIG_INVALID) when none of the exchanges has any of these intervals. */
export function requireCandles(exchanges: readonly Exchange[], intervals: readonly Interval[], where: string): void {
  const absent = absentCandles(exchanges, intervals);
  if (absent.length < exchanges.length * intervals.length) return;
  throw new ConfigurationError({
    where,
    expected: `a candle length that ${exchanges.join(' or ')} has`,
    got: absent.map(({ exchange, interval }) => `${interval} at ${exchange}`).join(', '),
  });
}

/** Warns about intervals that an exchange does not have; their series are left out. */
export const intervalWarnings = (exchanges: readonly Exchange[], intervals: readonly Interval[]): string[] =>
  absentCandles(exchanges, intervals).map(
    ({ exchange, interval }) => `${exchange} has no ${interval} candles; those series are left out`,
  );
