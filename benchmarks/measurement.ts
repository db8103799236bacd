import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant, Terms } from './contestants.ts';
import { ATTEMPT_TIMEOUT_MS, KLINES_WEIGHT, pagesOf, type Workload } from './workload.ts';
import { openExchange, type ExchangeReport } from './exchange.ts';
import { lowerBoundMs } from './lower-bound.ts';
import { assess, type Assessment } from './assessment.ts';
import { GATE_MS, RESETS_MS } from './fault-schedule.ts';

/** One contestant on one course. */
export interface Measurement {
  readonly contestant: string;
  readonly validation: Assessment;
  readonly exchange: ExchangeReport;
  readonly pages: number;
  /** Requests beyond the pages and the injected faults. */
  readonly wasted: number;
  readonly wallMs: number;
  /** What no client can beat: the limit and the round trips, for the pages and for each injected fault once more. */
  readonly floorMs: number;
  /** Floor / wall. */
  readonly efficiency: number;
  /** What was used of the limit in the whole windows while there was something to ask; null where there was none. */
  readonly budgetRatio: number | null;
  /** In a storm: 1.15 x (floor + time the exchange was shut + one attempt timeout); null in other weather. */
  readonly boundMs: number | null;
  readonly cpuMs: number;
  /** Of the largest process. */
  readonly peakBytes: number;
  readonly exits: readonly (number | null)[];
}

export interface Conditions extends Terms {
  /** Where everything lies while the contestant runs. */
  readonly directory: string;
  /** Requests in flight, for the floor of the round trips. */
  readonly atOnce: number;
  readonly keep: boolean;
}

const STORM_ALLOWANCE = 1.15;

/** Lets one contestant run the course on an exchange of its own, from the middle of a window, and judges what it brought. */
export async function measure(
  workload: Workload,
  contestant: Contestant,
  conditions: Conditions,
): Promise<Measurement> {
  const { directory, share, rttMs, limit } = { ...conditions, ...workload };
  mkdirSync(directory, { recursive: true });
  const pages = pagesOf(workload);
  const floorOf = (requests: number, startMs: number): number =>
    lowerBoundMs({ requests, weight: KLINES_WEIGHT, limit, share, startMs, rttMs, atOnce: conditions.atOnce });
  const exchange = await openExchange(workload, floorOf(pages, limit.windowMs / 2));
  try {
    await sleep(untilMiddleMs(limit.windowMs, Date.now()));
    const startMs = Date.now();
    const attempt = await contestant.run(
      { url: exchange.url, symbols: workload.symbols, range: workload.range, directory },
      conditions,
    );
    const report = await exchange.report();
    const validation = await assess(workload, attempt.harvest);
    const floor = floorOf(pages + report.injectedTotal, startMs);
    return {
      contestant: contestant.name,
      validation,
      exchange: report,
      pages,
      wasted: report.requests - pages - report.injectedTotal,
      wallMs: attempt.wallMs,
      floorMs: floor,
      efficiency: floor / attempt.wallMs,
      budgetRatio:
        report.wholeWindows === 0 ? null : report.wholeWindowsWeight / (report.wholeWindows * limit.weight * share),
      boundMs:
        workload.schedule === 'storm' ? STORM_ALLOWANCE * (floor + GATE_MS + RESETS_MS + ATTEMPT_TIMEOUT_MS) : null,
      cpuMs: attempt.processes.reduce((sum, { usage }) => sum + (usage?.cpuMs ?? Number.NaN), 0),
      peakBytes: Math.max(...attempt.processes.map(({ usage }) => usage?.peakBytes ?? Number.NaN)),
      exits: attempt.processes.map(({ exit }) => exit),
    };
  } finally {
    exchange.close();
    if (!conditions.keep) rmSync(directory, { recursive: true, force: true });
  }
}

/** Everybody starts at the same place of a window, half of it spent by nobody. */
const untilMiddleMs = (windowMs: number, nowMs: number): number => (windowMs * 1.5 - (nowMs % windowMs)) % windowMs;
