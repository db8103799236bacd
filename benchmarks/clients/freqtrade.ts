// The algorithm of freqtrade's `download-data`, on ccxt as there: pair after pair, a hundred concurrent pages, up to
// five tries of each. After ccxt's DDoSProtection it waits n² + 1 seconds, after other errors not at all. A page that
// still fails is logged and left out.
// Source: freqtrade/exchange/exchange.py (_async_get_historic_ohlcv) and common.py (retrier_async), 2026.
import { setTimeout as sleep } from 'node:timers/promises';
import { DDoSProtection, ExchangeError, OperationFailed } from 'ccxt';
import { ROWS_PER_PAGE } from '../workload.ts';
import { ccxtBinance } from './ccxt-exchange.ts';
import { finish, keepRows, messageOf, pages, task, type ClientPage } from './client.ts';
import type { ReportedGap } from './rows.ts';

const RETRIES_MAX = 4;
const CONCURRENCY = 100;
const exchange = ccxtBinance(task);
const failed: ReportedGap[] = [];

async function fetchPage(page: ClientPage, retriesLeft = RETRIES_MAX): Promise<readonly (readonly unknown[])[]> {
  try {
    return await exchange.fetchOHLCV(page.symbol, '1m', page.fromMs, ROWS_PER_PAGE);
  } catch (error) {
    const isTemporary = error instanceof OperationFailed || error instanceof ExchangeError;
    if (!isTemporary || retriesLeft === 0) throw error;
    if (error instanceof DDoSProtection) await sleep(((RETRIES_MAX - (retriesLeft - 1)) ** 2 + 1) * 1_000);
    return fetchPage(page, retriesLeft - 1);
  }
}

for (const symbol of task.symbols) {
  const own = pages([symbol]);
  for (let at = 0; at < own.length; at += CONCURRENCY) {
    const chunk = own.slice(at, at + CONCURRENCY);
    for (const [index, result] of (await Promise.allSettled(chunk.map((page) => fetchPage(page)))).entries()) {
      if (result.status === 'fulfilled') keepRows(symbol, result.value);
      else failed.push({ ...(chunk[index] as ClientPage), why: messageOf(result.reason) });
    }
  }
}
finish(failed);
