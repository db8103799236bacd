// ccxt's way to fetch a long range: `fetchOHLCV` with `paginate`. Second argument: { parallel, retries }.
import { MINUTE_MS, ROWS_PER_PAGE } from '../workload.ts';
import { ccxtBinance } from './ccxt-exchange.ts';
import { concurrent, finish, keepRows, messageOf, task } from './client.ts';
import type { ReportedGap } from './rows.ts';

const how = JSON.parse(process.argv[3] ?? '') as { readonly parallel: boolean; readonly retries: boolean };
const exchange = ccxtBinance(task, how.retries ? { maxRetriesOnFailure: 3, maxRetriesOnFailureDelay: 1_000 } : {});
const failed: ReportedGap[] = [];
const { fromMs, toMs } = task.range;

await concurrent(how.parallel ? task.symbols.length : 1, task.symbols, async (symbol) => {
  const params = {
    paginate: true,
    paginationCalls: Math.ceil((toMs - fromMs) / MINUTE_MS / ROWS_PER_PAGE) + 1,
    until: toMs - 1,
  };
  try {
    keepRows(symbol, await exchange.fetchOHLCV(symbol, '1m', fromMs, undefined, params));
  } catch (error) {
    failed.push({ symbol, fromMs, toMs, why: messageOf(error) });
  }
});
finish(failed);
