import { join } from 'node:path';
import type { Account } from '../../domain/account.ts';
import { dayRange } from '../../domain/partition.ts';
import type { TimeRange } from '../../domain/range.ts';
import type { Pipeline } from '../../engine/core/pipeline.ts';
import { readCandles } from '../../engine/queries/candle-reader.ts';
import { gapReport } from '../../engine/queries/gap-report.ts';
import { faultsOf } from '../../engine/queries/run-list.ts';
import { FAULT_CODES, type FaultCode } from '../../errors/table.ts';
import type { StandInHub } from '../../simulation/stand-ins/stand-in-hub.ts';
import { compareWithTruth, type Comparison } from '../../simulation/truth.ts';
import type { World } from '../../simulation/world.ts';
import type { Run } from '../../state/runs.ts';
import { DEMO, type DemoEnvironment } from './scenario.ts';

/** The checks at the end of the demo. */
export interface DemoVerdict {
  readonly account: Account;
  /** Stored candles against the recording. */
  readonly comparison: Comparison;
  /** Faults sent by the stand-in exchange and entries of the fault log, by code. */
  readonly faults: readonly { readonly code: FaultCode; readonly injected: number; readonly logged: number }[];
  readonly discrepancies: number;
  readonly commits: number;
  readonly isPublished: boolean;
  readonly addsUp: boolean;
}

export async function assessDemo(
  pipeline: Pipeline,
  environment: DemoEnvironment,
  runs: readonly Run[],
): Promise<DemoVerdict> {
  const range = { fromMs: dayRange(DEMO.days.start).fromMs, toMs: dayRange(DEMO.days.end).toMs };
  const report = await gapReport(pipeline, {
    range,
    markets: pipeline.settings.markets,
    intervals: pipeline.settings.intervals,
    verify: true,
    explained: true,
  });
  const comparison = await compareStored(pipeline, environment.exchange.world, range);
  const faults = await countFaults(pipeline, environment, runs);
  const isPublished = isOnHub(pipeline, environment.hub);
  const { lost, doubled, invented, wrong } = comparison;
  return {
    account: report.totals,
    comparison,
    faults,
    discrepancies: report.discrepancies.length,
    commits: environment.hub.commits.length - 1,
    isPublished,
    addsUp:
      report.totals.pending === 0 &&
      report.discrepancies.length === 0 &&
      lost + doubled + invented + wrong === 0 &&
      faults.every((one) => one.logged >= one.injected) &&
      isPublished,
  };
}

async function compareStored(pipeline: Pipeline, world: World, range: TimeRange): Promise<Comparison> {
  const sum = { recorded: 0, lost: 0, doubled: 0, invented: 0, wrong: 0 };
  for (const recorded of world.series.filter(
    (series) => series.interval === DEMO.interval && DEMO.symbols.includes(series.symbol),
  )) {
    const stored = await readCandles(pipeline, {
      series: { exchange: DEMO.exchange, symbol: recorded.symbol, interval: recorded.interval },
      range,
    });
    const rows = recorded.rows.filter((row) => row[0] >= range.fromMs && row[0] < range.toMs);
    const one = compareWithTruth(stored, rows, recorded.columns);
    for (const key of ['recorded', 'lost', 'doubled', 'invented', 'wrong'] as const) sum[key] += one[key];
  }
  return sum;
}

async function countFaults(
  pipeline: Pipeline,
  environment: DemoEnvironment,
  runs: readonly Run[],
): Promise<DemoVerdict['faults']> {
  const entries = await Promise.all(runs.map((run) => faultsOf(pipeline, run.id)));
  const logged = Map.groupBy(entries.flat(), (entry) => entry.record.code);
  const injected = Map.groupBy(
    environment.exchange.standIn.log.flatMap((entry) => (entry.code === null ? [] : [entry.code])),
    (code) => code,
  );
  return [...injected]
    .toSorted(([a], [b]) => FAULT_CODES.indexOf(a) - FAULT_CODES.indexOf(b))
    .map(([code, own]) => ({ code, injected: own.length, logged: logged.get(code)?.length ?? 0 }));
}

/** Every data file of the gold folder is on the Hub's head, byte for byte. */
function isOnHub({ lake, ports }: Pipeline, hub: StandInHub): boolean {
  const published = hub.commits.at(-1)?.files ?? new Map<string, Uint8Array>();
  const data = [...published].filter(([path]) => path.startsWith('data/'));
  return (
    data.length > 0 &&
    data.every(([path, bytes]) => Buffer.from(bytes).equals(Buffer.from(ports.files.read(join(lake.gold, path)))))
  );
}
