import type { Command } from 'commander';
import type { Exchange } from '../../../domain/exchange.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import { historyOfSymbols, listSymbols, type ListedSymbol } from '../../../engine/queries/symbol-list.ts';
import { disableSymbol, enableSymbol, type SymbolRequest } from '../../../engine/maintenance/symbol-activation.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Configuration } from '../../../configuration/configuration.ts';
import { table } from '../../output/console.ts';
import { isoTime, listDocument, SCHEMA } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline, type OpenSession } from '../../session.ts';
import { readExchanges, readSymbol, readText } from '../../../configuration/setting-values.ts';

interface SymbolOptions {
  readonly exchange?: string;
  readonly reason?: string;
}

export function addSymbolCommands(program: Command, run: CommandRunner): void {
  const symbols = program
    .command('symbols')
    .description('Which symbols are asked for, which are not, and why')
    .addHelpText(
      'after',
      examples([
        'candlekeep symbols list',
        'candlekeep symbols disable binance:LUNA/USDT --reason "delisted"',
        'candlekeep symbols enable LUNA/USDT',
      ]),
    );

  run(
    symbols
      .command('list')
      .description('Configured symbols, and those taken off: code, reason, since when, next check')
      .option('--exchange <names>', 'only these exchanges (comma list)')
      .option('--history', "every change of a symbol's state instead, oldest first")
      .addHelpText(
        'after',
        examples([
          'candlekeep symbols list',
          'candlekeep symbols list --exchange binance --json',
          'candlekeep symbols list --history',
        ]),
      ),
    async (session, options: SymbolOptions & { readonly history?: boolean }) => {
      const configuration = await configure(session);
      const exchanges = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
      return withPipeline(session, configuration, (open) =>
        options.history ? showHistory(open, exchanges) : showSymbols(open, configuration, exchanges),
      );
    },
  );

  run(
    symbols
      .command('disable <symbol>')
      .description('Stop asking for a symbol until it is enabled again; its due candles stay in the account')
      .requiredOption('--reason <text>', 'why, for whoever reads the list later')
      .option('--exchange <names>', 'only at these exchanges (default: the configured ones)')
      .addHelpText(
        'after',
        examples([
          'candlekeep symbols disable LUNA/USDT --reason "delisted"',
          'candlekeep symbols disable coinbase:BTC/USD --reason "moved to another account"',
        ]),
      ),
    async (session, options: SymbolOptions, [text = '']) => {
      const configuration = await configure(session);
      const wish = wishOf(configuration, options, { text, reason: readText(options.reason, '--reason') });
      return withPipeline(session, configuration, async (open) => {
        const exchanges = await exchangesWith(open, wish, { configuration });
        await disableSymbol(open.pipeline, { ...wish, exchanges });
        return tell(open, { ...wish, exchanges }, 'is disabled: nobody asks for it until  candlekeep symbols enable');
      });
    },
  );

  run(
    symbols
      .command('enable <symbol>')
      .description('Ask for a symbol again that was disabled, or that its exchange did not list')
      .option('--reason <text>', 'why', 'enabled by hand')
      .option('--exchange <names>', 'only at these exchanges (default: the configured ones)')
      .addHelpText(
        'after',
        examples([
          'candlekeep symbols enable LUNA/USDT',
          'candlekeep symbols enable binance:LUNA/USDT --reason "listed again"',
        ]),
      ),
    async (session, options: SymbolOptions, [text = '']) => {
      const configuration = await configure(session);
      const wish = wishOf(configuration, options, { text, reason: readText(options.reason, '--reason') });
      return withPipeline(session, configuration, async (open) => {
        await exchangesWith(open, wish, { configuration });
        const exchanges = await enableSymbol(open.pipeline, wish);
        return exchanges.length === 0
          ? tell(open, wish, 'is active already')
          : tell(open, { ...wish, exchanges }, 'is active again; the next run asks for what is missing');
      });
    },
  );
}

/** Where a symbol is meant: by flag, by its prefix, or at every configured exchange. */
function wishOf(
  { choices }: Configuration,
  { exchange }: SymbolOptions,
  { text, reason }: { readonly text: string; readonly reason: string },
): SymbolRequest {
  const choice = readSymbol(text, '<symbol>');
  const byFlag = exchange === undefined ? null : readExchanges(exchange, '--exchange');
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

/** Those of the wished exchanges that have the symbol on one list or the other. @throws ConfigurationError (CONFIG_INVALID) when none does. */
async function exchangesWith(
  open: OpenSession,
  { exchanges, symbol }: SymbolRequest,
  { configuration }: { readonly configuration: Configuration },
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

const knownSymbols = async (
  { pipeline, control }: OpenSession,
  configuration: Configuration,
): Promise<readonly ListedSymbol[]> =>
  listSymbols(
    pipeline,
    await resolveMarkets(pipeline, { choices: configuration.choices, freshness: 'any', signal: control.signal }),
  );

function tell({ screen }: OpenSession, { exchanges, symbol, reason }: SymbolRequest, what: string): ExitCode {
  if (screen.isJson) screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, symbol, exchanges, reason });
  else screen.data(`${exchanges.join(', ')} ${symbol} ${what}`);
  return EXIT.done;
}

async function showSymbols(
  open: OpenSession,
  configuration: Configuration,
  exchanges: readonly Exchange[] | null,
): Promise<ExitCode> {
  const items = (await knownSymbols(open, configuration)).filter((one) => exchanges?.includes(one.exchange) ?? true);
  if (open.screen.isJson) {
    open.screen.document(
      listDocument(
        items.map(({ sinceMs, nextCheckAtMs, ...one }) => ({
          ...one,
          since: isoTime(sinceMs),
          next_check_at: isoTime(nextCheckAtMs),
        })),
      ),
    );
    return EXIT.done;
  }
  open.screen.data(
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
  );
  return EXIT.done;
}

async function showHistory(
  { pipeline, screen }: OpenSession,
  exchanges: readonly Exchange[] | null,
): Promise<ExitCode> {
  const items = (await historyOfSymbols(pipeline)).filter((one) => exchanges?.includes(one.exchange) ?? true);
  if (screen.isJson)
    screen.document(listDocument(items.map(({ changedAtMs, ...one }) => ({ ...one, at: isoTime(changedAtMs) }))));
  else
    screen.data(
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
    );
  return EXIT.done;
}
