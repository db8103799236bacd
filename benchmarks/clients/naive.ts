// What one writes in five minutes: eight concurrent requests, five tries a second apart, whatever the response was.
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTEMPT_TIMEOUT_MS } from '../workload.ts';
import { concurrent, finish, keepRows, messageOf, pages, urlOf, type ClientPage } from './client.ts';
import type { ReportedGap } from './rows.ts';

const TRIES_MAX = 5;
const failed: ReportedGap[] = [];

async function fetchPage(page: ClientPage): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(urlOf(page), { signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      keepRows(page.symbol, (await response.json()) as unknown[][]);
      return;
    } catch (error) {
      if (tries === TRIES_MAX) {
        failed.push({ ...page, why: messageOf(error) });
        return;
      }
      await sleep(1_000);
    }
  }
}

await concurrent(8, pages(), fetchPage);
finish(failed);
