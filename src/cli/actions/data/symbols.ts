import type { Configuration } from '../../../configuration/configuration.ts';
import { readExchanges, readSymbol, readText } from '../../../configuration/setting-values.ts';
import type { Exchange } from '../../../domain/exchange.ts';
import { disableSymbol, enableSymbol, type SymbolRequest } from '../../../engine/maintenance/symbol-activation.ts';
import { historyOfSymbols, listSymbols, type ListedSymbol } from '../../../engine/queries/symbol-list.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Action, Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession, openStateSession, type OpenSession, type StateSession } from '../../open-session.ts';
import { table } from '../../output/console.ts';
import { isoTime, listDocument, SCHEMA } from '../../output/schema.ts';

interface SymbolOptions {
  readonly exchange?: string;
  readonly reason?: string;
}

export const showSymbols: Action<SymbolOptions & { readonly history?: boolean }> = async (session, options) => {
  const configuration = await configure(session);
  const exchanges = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
  const isWanted = ({ exchange }: { readonly exchange: Exchange }): boolean => exchanges?.includes(exchange) ?? true;
  if (options.history) return showHistory(await openStateSession(session, configuration), isWanted);
  if (areNamed(configuration)) {
    const { pipeline } = await openStateSession(session, configuration);
    return showList(await listSymbols(pipeline, configuration.settings.markets), isWanted);
  }
  return showList(await knownSymbols(await openSession(session, configuration), configuration), isWanted);
};

/** Whether no choice is a pattern or a ranking, which may need a request to an exchange. */
const areNamed = ({ choices }: Configuration): boolean =>
  [...choices.values()].flat().every(({ kind }) => kind === 'symbol');

export const disable: Action<SymbolOptions> = async (session, options, [text = '']) => {
  const configuration = await configure(session);
  const request = requestOf(configuration, options, text);
  const open = await openSession(session, configuration);
  const exchanges = await exchangesWith(open, configuration, request);
  await disableSymbol(open.pipeline, { ...request, exchanges });
  return changed({ ...request, exchanges }, 'is disabled: it is not requested until  candlekeep symbols enable');
};

export const enable: Action<SymbolOptions> = async (session, options, [text = '']) => {
  const configuration = await configure(session);
  const request = requestOf(configuration, options, text);
  const open = await openSession(session, configuration);
  await exchangesWith(open, configuration, request);
  const exchanges = await enableSymbol(open.pipeline, request);
  return exchanges.length === 0
    ? changed(request, 'is active already')
    : changed({ ...request, exchanges }, 'is active again; the next run requests what is missing');
};

/** The exchanges meant: by flag, by the symbol's prefix, or every configured one. */
function requestOf({ choices }: Configuration, options: SymbolOptions, text: string): SymbolRequest {
  const reason = readText(options.reason, '--reason');
  const choice = readSymbol(text, '<symbol>');
  const byFlag = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
  if (byFlag !== null && choice.exchange !== null && !byFlag.includes(choice.exchange))
    throw new ConfigurationError({
      where: '--exchange',
      expected: `${choice.exchange}, as ${text} says`,
      got: byFlag.join(', '),
    });
  return {
    exchanges: byFlag ?? (choice.exchange === null ? [...choices.keys()] : [choice.exchange]),
    symbol: choice.symbol,
    reason,
  };
}

/** The requested exchanges that list or listed the symbol. @throws ConfigurationError (CONFIG_INVALID) if none does. */
async function exchangesWith(
  open: OpenSession,
  configuration: Configuration,
  { exchanges, symbol }: SymbolRequest,
): Promise<readonly Exchange[]> {
  const known = await knownSymbols(open, configuration);
  const there = exchanges.filter((exchange) => known.some((one) => one.exchange === exchange && one.symbol === symbol));
  if (there.length > 0) return there;
  throw new ConfigurationError({
    where: '<symbol>',
    expected: `a configured symbol of ${exchanges.join(', ')} (candlekeep symbols list)`,
    got: symbol,
  });
}

async function knownSymbols(
  { pipeline, control }: OpenSession,
  { choices }: Configuration,
): Promise<readonly ListedSymbol[]> {
  const { resolveMarkets } = await import('../../../engine/core/symbol-resolution.ts');
  return listSymbols(pipeline, await resolveMarkets(pipeline, { choices, freshness: 'any', signal: control.signal }));
}

const changed = ({ exchanges, symbol, reason }: SymbolRequest, what: string): Outcome => ({
  exit: EXIT.done,
  document: { schema: SCHEMA, ok: true, exit: EXIT.done, symbol, exchanges, reason },
  text: `${exchanges.join(', ')} ${symbol} ${what}`,
});

type Filter = (one: { readonly exchange: Exchange }) => boolean;

function showList(known: readonly ListedSymbol[], isWanted: Filter): Outcome {
  const items = known.filter(isWanted);
  return {
    exit: EXIT.done,
    document: listDocument(
      items.map(({ sinceMs, nextCheckAtMs, ...one }) => ({
        ...one,
        since: isoTime(sinceMs),
        next_check_at: isoTime(nextCheckAtMs),
      })),
    ),
    text: () =>
      table(
        ['exchange', 'symbol', 'state', 'code', 'reason', 'since', 'next check'],
        items.map((one) => [
          one.exchange,
          one.symbol,
          one.state,
          one.code ?? '-',
          one.reason ?? '-',
          isoTime(one.sinceMs) ?? '-',
          isoTime(one.nextCheckAtMs) ?? '-',
        ]),
      ),
  };
}

async function showHistory({ pipeline }: StateSession, isWanted: Filter): Promise<Outcome> {
  const items = (await historyOfSymbols(pipeline)).filter(isWanted);
  return {
    exit: EXIT.done,
    document: listDocument(items.map(({ changedAtMs, ...one }) => ({ ...one, at: isoTime(changedAtMs) }))),
    text: () =>
      table(
        ['at', 'exchange', 'symbol', 'became', 'code', 'reason'],
        items.map((one) => [
          isoTime(one.changedAtMs) ?? '',
          one.exchange,
          one.symbol,
          one.state,
          one.code ?? '-',
          one.reason,
        ]),
      ),
  };
}
