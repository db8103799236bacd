// The practical bound: a careful client that only fetches. It keeps to the limit, waits as long as a response demands,
// retries with jitter and rejects incomplete pages. It keeps no responses, no state, no account, and writes no Parquet.
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTEMPT_TIMEOUT_MS, KLINES_WEIGHT, MINUTE_MS } from '../workload.ts';
import { concurrent, finish, keepRows, messageOf, pages, task, urlOf, type ClientPage } from './client.ts';
import type { ReportedGap } from './rows.ts';

const CONCURRENCY = 16;
const TRIES_MAX = 12;
const GUARD_MS = 50;
const failed: ReportedGap[] = [];

interface Info {
  readonly rateLimits: readonly {
    readonly rateLimitType: string;
    readonly interval: string;
    readonly intervalNum: number;
    readonly limit: number;
  }[];
}
const info = (await (await fetch(`${task.url}/api/v3/exchangeInfo`)).json()) as Info;
const announced = info.rateLimits.find((limit) => limit.rateLimitType === 'REQUEST_WEIGHT');
if (announced === undefined) throw new Error('no weight limit announced');
const windowMs = announced.intervalNum * (announced.interval === 'SECOND' ? 1_000 : MINUTE_MS);
let [window, used, opensAtMs] = [Math.floor(Date.now() / windowMs), 20, 0];

/** Waits until neither a pause nor the limit holds the next request back. */
async function admission(): Promise<void> {
  for (;;) {
    const nowMs = Date.now();
    const at = Math.floor((nowMs - GUARD_MS) / windowMs);
    if (at > window) [window, used] = [at, 0];
    const isNearBorder = windowMs - (nowMs % windowMs) < GUARD_MS;
    if (nowMs < opensAtMs) await sleep(opensAtMs - nowMs);
    else if (isNearBorder || used + KLINES_WEIGHT > (announced?.limit ?? 0))
      await sleep((window + 1) * windowMs + GUARD_MS - nowMs);
    else break;
  }
  used += KLINES_WEIGHT;
}

const isWhole = (rows: unknown, { fromMs, toMs }: ClientPage): rows is unknown[][] =>
  Array.isArray(rows) &&
  rows.length === (toMs - fromMs) / MINUTE_MS &&
  rows.every((row: unknown[], at) => {
    const [time, open = NaN, high = NaN, low = NaN, close = NaN, volume = NaN] = row
      .slice(0, 6)
      .map((value) => (value === null ? NaN : Number(value)));
    return (
      time === fromMs + at * MINUTE_MS &&
      low > 0 &&
      low <= Math.min(open, close) &&
      high >= Math.max(open, close) &&
      volume >= 0
    );
  });

async function fetchPage(page: ClientPage): Promise<void> {
  for (let tries = 1; ; ) {
    await admission();
    try {
      const response = await fetch(urlOf(page), { signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS) });
      if (response.status === 429 || response.status === 418) {
        opensAtMs = Math.max(opensAtMs, Date.now() + Number(response.headers.get('retry-after') ?? 60) * 1_000);
        continue;
      }
      const rows: unknown = response.ok ? await response.json() : null;
      if (!isWhole(rows, page)) throw new Error(`status ${response.status}, not the requested page`);
      keepRows(page.symbol, rows);
      return;
    } catch (error) {
      if (++tries > TRIES_MAX) {
        failed.push({ ...page, why: messageOf(error) });
        return;
      }
      await sleep(Math.random() * Math.min(30_000, 250 * 2 ** tries));
    }
  }
}

await concurrent(CONCURRENCY, pages(), fetchPage);
finish(failed);
