import type { Account } from '../../domain/account.ts';
import { count, grouped, type Console } from './console.ts';

/** Rows of a table that a person reads; the document has them all. */
const ROWS_SHOWN_MAX = 20;

/** `24 candles expected = 20 present + 0 no trades + 0 outage + 0 quarantined + 4 pending`. */
export function accountText({ expected, present, no_trades, outage, quarantined, pending }: Account): string {
  const explained = `${grouped(no_trades)} no trades + ${grouped(outage)} outage`;
  return (
    `${count(expected, 'candle')} expected = ${grouped(present)} present + ${explained} + ` +
    `${grouped(quarantined)} quarantined + ${grouped(pending)} pending`
  );
}

/** A titled part of a report; nothing when it has no lines. */
export const section = (screen: Console, title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', screen.colour('bold', title), ...lines];

/** The first rows as `tableOf` shows them, and how many more there are. */
export const shortened = <T>(rows: readonly T[], tableOf: (shown: readonly T[]) => string): string[] =>
  rows.length === 0
    ? []
    : [
        tableOf(rows.slice(0, ROWS_SHOWN_MAX)),
        ...(rows.length > ROWS_SHOWN_MAX ? [`and ${rows.length - ROWS_SHOWN_MAX} more; --json has all`] : []),
      ];
