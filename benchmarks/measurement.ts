import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant, Terms } from './contestant.ts';
import { ATTEMPT_TIMEOUT_MS, KLINES_WEIGHT, pagesOf, type Workload } from './workload.ts';
import { openExchange, type ExchangeReport } from './exchange.ts';
import { lowerBoundMs } from './lower-bound.ts';
import { assess, type Assessment } from './assessment.ts';
import { CLOSED_MS, RESETS_MS } from './fault-schedule.ts';

/** One contestant on one workload. */
export interface Measurement {
  readonly contestant: string;
  readonly assessment: Assessment;
  readonly exchange: ExchangeReport;
  readonly pages: number;
  /** Requests beyond the pages and the injected faults. */
  readonly wasted: number;
  readonly wallMs: number;
  /** No client can be faster: limit and round trips of every page, and of one more request for each injected fault. */
  readonly lowerBoundMs: number;
  /** Lower bound / wall time. */
  readonly efficiency: number;
  /** Share of the limit used in whole windows between the first and the last request; null without a whole window. */
  readonly budgetRatio: number | null;
  /** B2 only, else null: 1.15 x (lower bound + time in which the exchange refused + one attempt timeout). */
  readonly upperBoundMs: number | null;
  readonly cpuMs: number;
  /** Peak memory of the largest process. */
  readonly peakBytes: number;
  readonly exits: readonly (number | null)[];
}

export interface Conditions extends Terms {
  /** Holds data and logs while the contestant runs. */
  readonly directory: string;
  /** Concurrent requests that the lower bound of the round trips assumes. */
  readonly concurrency: number;
  readonly keep: boolean;
}

const FAULT_ALLOWANCE = 1.15;

/** Runs one contestant on a fresh exchange, starting in the middle of a window, and assesses its result. */
export async function measure(
  workload: Workload,
  contestant: Contestant,
  conditions: Conditions,
): Promise<Measurement> {
  const { directory, share, rttMs, limit, concurrency } = { ...conditions, ...workload };
  mkdirSync(directory, { recursive: true });
  const pages = pagesOf(workload);
  const boundOf = (requests: number, startMs: number): number =>
    lowerBoundMs({ requests, weight: KLINES_WEIGHT, limit, share, startMs, rttMs, concurrency });
  const exchange = await openExchange(workload, boundOf(pages, limit.windowMs / 2));
  try {
    await sleep(untilMiddleMs(limit.windowMs, Date.now()));
    const startMs = Date.now();
    const attempt = await contestant.run(
      { url: exchange.url, symbols: workload.symbols, range: workload.range, directory },
      conditions,
    );
    const report = await exchange.report();
    const assessment = await assess(workload, attempt.result);
    const leastMs = boundOf(pages + report.injectedTotal, startMs);
    return {
      contestant: contestant.name,
      assessment,
      exchange: report,
      pages,
      wasted: report.requests - pages - report.injectedTotal,
      wallMs: attempt.wallMs,
      lowerBoundMs: leastMs,
      efficiency: leastMs / attempt.wallMs,
      budgetRatio:
        report.wholeWindows === 0 ? null : report.wholeWindowsWeight / (report.wholeWindows * limit.weight * share),
      upperBoundMs:
        workload.schedule === 'faults'
          ? FAULT_ALLOWANCE * (leastMs + CLOSED_MS + RESETS_MS + ATTEMPT_TIMEOUT_MS)
          : null,
      cpuMs: attempt.processes.reduce((sum, { usage }) => sum + (usage?.cpuMs ?? Number.NaN), 0),
      peakBytes: Math.max(...attempt.processes.map(({ usage }) => usage?.peakBytes ?? Number.NaN)),
      exits: attempt.processes.map(({ exit }) => exit),
    };
  } finally {
    exchange.close();
    if (!conditions.keep) rmSync(directory, { recursive: true, force: true });
  }
}

/** Every contestant starts in the middle of a window that nobody has used yet. */
const untilMiddleMs = (windowMs: number, nowMs: number): number => (windowMs * 1.5 - (nowMs % windowMs)) % windowMs;
