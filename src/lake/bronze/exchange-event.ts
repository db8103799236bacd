import type { FaultEntry } from '../../state/fault-log.ts';
import { escalationOf } from '../../resilience/isolation/escalation.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { ExchangeAPIError, exchangeError, type Fault } from '../../errors/errors.ts';
import { toRecord } from '../../errors/fault-record.ts';
import type { QueryContext } from './exchange-query.ts';

/**
 * The faults of a venue's symbols, one for each that failed. A fault shared by enough of them counts as the
 * venue's: it becomes a single fault, logged without a symbol.
 */
export async function escalateExchange(
  context: QueryContext,
  failures: readonly { readonly symbol: MarketSymbol; readonly fault: Fault }[],
  symbolsRequested: number,
): Promise<readonly Fault[]> {
  const {
    adapter: { exchange },
    ports,
    runId,
  } = context;
  const escalation = escalationOf(failures, symbolsRequested);
  const example = escalation?.example;
  if (escalation === null || !(example instanceof ExchangeAPIError)) return failures.map(({ fault }) => fault);
  const { symbols, code } = escalation;
  const share = `${symbols.length} of ${symbolsRequested} symbols of ${exchange} failed alike`;
  const message = `${share}, so the exchange is at fault, not the symbols; ${symbols[0]}: ${example.message}`;
  const fault = exchangeError(example.code, message, example.facts, { cause: example });
  ports.log.error(message, { exchange, code, run: runId });
  await context.writer.keep(null, [entryOf(context, fault)]);
  return [fault, ...failures.filter((one) => one.fault.code !== code).map((one) => one.fault)];
}

const entryOf = ({ ports, adapter, runId }: QueryContext, fault: Fault): FaultEntry => ({
  id: ports.ids.next('fault'),
  atMs: ports.clock.nowMs(),
  runId,
  exchange: adapter.exchange,
  symbol: null,
  interval: null,
  range: null,
  attempt: null,
  triesMax: null,
  decision: 'escalated',
  waitMs: null,
  record: toRecord(fault),
});
