import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Workload } from './workload.ts';

/** What the exchange received from one contestant, and how it responded. */
export interface ExchangeReport {
  readonly requests: number;
  /** Injected faults by kind (a status by its number). */
  readonly injected: Readonly<Record<string, number>>;
  readonly injectedTotal: number;
  /** Injected ones included. */
  readonly responses429: number;
  /** 429s that the contestant caused by exceeding the limit. */
  readonly overLimit: number;
  /** Responses with status 418. */
  readonly bans: number;
  /** Requests sent later than 100 ms after a response that demanded a pause. */
  readonly sentWhileClosed: number;
  /** Rate-limit windows between those of the first and the last request, and the weight of the requests in them. */
  readonly wholeWindows: number;
  readonly wholeWindowsWeight: number;
}

/** What the exchange's process is started with. */
export interface ExchangeSetup {
  readonly workload: Workload;
  readonly leastMs: number;
}

export interface Exchange {
  readonly url: string;
  report(): Promise<ExchangeReport>;
  close(): void;
}

/** Starts a fresh exchange. `leastMs`, the lower bound of the workload, decides when the fault windows begin. */
export async function openExchange(workload: Workload, leastMs: number): Promise<Exchange> {
  const setup: ExchangeSetup = { workload, leastMs };
  const child = fork(new URL('exchange-process.ts', import.meta.url), [JSON.stringify(setup)]);
  const message = async (): Promise<unknown> => ((await once(child, 'message')) as [unknown])[0];
  const { url } = (await message()) as { url: string };
  return {
    url,
    report: async () => {
      const report = message();
      child.send('report');
      return (await report) as ExchangeReport;
    },
    close: () => child.disconnect(),
  };
}
