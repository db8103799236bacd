import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Workload } from './workload.ts';

/** What the exchange saw of one contestant. */
export interface ExchangeReport {
  readonly requests: number;
  /** Injected faults by kind (a status by its number). */
  readonly injected: Readonly<Record<string, number>>;
  readonly injectedTotal: number;
  /** All of them, injected ones too. */
  readonly answers429: number;
  /** 429s that the contestant earned. */
  readonly overLimit: number;
  /** Answers with 418. */
  readonly bans: number;
  /** Requests later than 100 ms after an answer that asked to stay away. */
  readonly sentWhileClosed: number;
  /** Windows between those of the first and the last request, and the weight of what came in them. */
  readonly wholeWindows: number;
  readonly wholeWindowsWeight: number;
}

export interface Exchange {
  readonly url: string;
  report(): Promise<ExchangeReport>;
  close(): void;
}

/** Starts an exchange that nobody has asked anything yet. `floorMs` places the storm. */
export async function openExchange(workload: Workload, floorMs: number): Promise<Exchange> {
  const child = fork(new URL('exchange-process.ts', import.meta.url), [JSON.stringify({ course: workload, floorMs })]);
  const response = async (): Promise<unknown> => ((await once(child, 'message')) as [unknown])[0];
  const { url } = (await response()) as { url: string };
  return {
    url,
    report: async () => {
      const report = response();
      child.send('report');
      return (await report) as ExchangeReport;
    },
    close: () => child.disconnect(),
  };
}
