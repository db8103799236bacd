import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import { dayOf, dayStartMs } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { CellsLeasedError } from '../../errors/errors.ts';
import { CancelledError } from '../../errors/classify.ts';
import { releaseLeases } from '../../state/leases.ts';
import { loopState, recordLoopTick, type LoopState } from '../../state/loops.ts';
import { withHeldLeases, takeLeasesNow } from '../core/lease-keeping.ts';
import { executeAll, materialise } from '../runs/materialise.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { heal } from '../runs/heal.ts';
import { dayToVerify, nextVerificationAtMs, reverify } from './reverification.ts';
import { closeDue, daysOfTick, jitterMs, nextCloseAtMs, schedulesOf, type ScheduledSeries } from './schedule.ts';
import { keepWatch } from '../monitoring/watch.ts';
import type { WatchedMarkets } from '../monitoring/watched-markets.ts';
import type { Control, WorkResult } from '../core/work.ts';

/** The series that the daemon keeps complete. */
export interface DaemonWork {
  /** Called on every tick: patterns and rankings may resolve to other symbols by then. */
  readonly markets: (signal: AbortSignal) => Promise<ReadonlyMap<Exchange, readonly MarketSymbol[]>>;
  /** Sends no request to an exchange: the symbols that the monitoring rules cover. */
  readonly watched: WatchedMarkets;
  readonly intervals: readonly Interval[];
  /** Called once this process holds the lease of the data directory. */
  readonly onStarted: () => Promise<void>;
  readonly onTick: (tick: Tick) => void;
}

/** One completed tick of a loop. */
export interface Tick {
  readonly loop: string;
  readonly startedAtMs: number;
  readonly result: WorkResult;
}

/** The lease that makes a second `start` on the data directory fail. */
const DAEMON_LEASE = 'daemon';
/** How often the recovery loop ticks. Unit: milliseconds. */
const RECOVERY_EVERY_MS = 60_000;

/** One kind of repeated work. Loops are ordered by priority: fresh candles before healing. */
interface Loop {
  readonly name: string;
  /** When its next tick is due, in epoch milliseconds. */
  dueAtMs(state: LoopState | null): number;
  tick(state: LoopState | null, control: Control): Promise<{ readonly result: WorkResult; readonly cursorMs: number }>;
}

/**
 * Keeps a data directory complete until `control.signal` aborts: fetches candles after they close, catches up after an
 * absence with one tick, and heals pending cells. One tick runs at a time; the store keeps the cursor of each loop.
 * Alerts, rules and heartbeat run concurrently.
 * @throws CellsLeasedError (CELLS_LEASED) when another daemon holds the directory.
 */
export async function runDaemon(pipeline: Pipeline, work: DaemonWork, control: Control): Promise<void> {
  const { ports } = pipeline;
  const owner = ports.ids.next('daemon');
  const { refused } = await takeLeasesNow(ports, owner, [DAEMON_LEASE]);
  if (refused[0] !== undefined)
    throw new CellsLeasedError({ lease: `the data directory ${pipeline.lake.root}`, owner: refused[0].owner });
  try {
    await work.onStarted();
    const loops = await loopsOf(pipeline, work, control.signal);
    await withHeldLeases(ports, { owner, signal: control.signal }, (signal) =>
      whileWatched(pipeline, { work, signal }, () =>
        tickUntilStopped(pipeline, { loops, work }, { ...control, signal }),
      ),
    );
  } finally {
    await ports.store.transact(releaseLeases, owner);
  }
}

/** Keeps watch until `ticks` ends. */
async function whileWatched(
  pipeline: Pipeline,
  { work, signal }: { readonly work: DaemonWork; readonly signal: AbortSignal },
  ticks: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const watching = keepWatch(pipeline, work.watched, AbortSignal.any([signal, done.signal]));
  try {
    await ticks();
  } finally {
    done.abort(new CancelledError('the loops have ended'));
    await watching;
  }
}

async function tickUntilStopped(
  pipeline: Pipeline,
  { loops, work }: { readonly loops: readonly Loop[]; readonly work: DaemonWork },
  control: Control,
): Promise<void> {
  const { clock } = pipeline.ports;
  while (!control.signal.aborted) {
    const next = await nextTick(pipeline, loops);
    const waitMs = next.dueAtMs - clock.nowMs();
    if (waitMs > 0) await clock.sleep(waitMs, control.signal).catch(unlessAborted(control.signal));
    else await runTick(pipeline, { ...next, work }, control);
  }
  // The machine slept past the lease, and another daemon took the directory.
  if (control.signal.reason instanceof CellsLeasedError) throw control.signal.reason;
}

const unlessAborted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error;
  };

interface NextTick {
  readonly loop: Loop;
  readonly state: LoopState | null;
  readonly dueAtMs: number;
}

/** The first loop by priority that is due, else the one that is due earliest. */
async function nextTick({ ports }: Pipeline, loops: readonly Loop[]): Promise<NextTick> {
  const ticks: NextTick[] = [];
  for (const loop of loops) {
    const state = await ports.store.read(loopState, loop.name);
    ticks.push({ loop, state, dueAtMs: loop.dueAtMs(state) });
  }
  const nowMs = ports.clock.nowMs();
  return ticks.find((tick) => tick.dueAtMs <= nowMs) ?? ticks.reduce((a, b) => (b.dueAtMs < a.dueAtMs ? b : a));
}

async function runTick(
  { ports }: Pipeline,
  { loop, state, work }: NextTick & { readonly work: DaemonWork },
  control: Control,
): Promise<void> {
  const startedAtMs = ports.clock.nowMs();
  const { result, cursorMs } = await loop.tick(state, control);
  if (control.signal.aborted) return; // incomplete: the next process starts this tick again
  await ports.store.transact(recordLoopTick, loop.name, { cursorMs, tickedAtMs: ports.clock.nowMs() });
  work.onTick({ loop: loop.name, startedAtMs, result });
}

async function loopsOf(pipeline: Pipeline, work: DaemonWork, signal: AbortSignal): Promise<readonly Loop[]> {
  const schedules = schedulesOf(pipeline.venues, await work.markets(signal), work.intervals);
  return [
    ...schedules.map((schedule) => scheduleLoop(pipeline, work, schedule)),
    recoveryLoop(pipeline),
    verificationLoop(pipeline, work),
  ];
}

function scheduleLoop(pipeline: Pipeline, work: DaemonWork, schedule: ScheduledSeries): Loop {
  const { clock, random } = pipeline.ports;
  const jitter = jitterMs(schedule.interval, random.fork(schedule.name).next());
  return {
    name: schedule.name,
    dueAtMs: (state) => {
      const isDue =
        closeDue(schedule, { nowMs: clock.nowMs(), cursorMs: state?.cursorMs ?? null, jitterMs: jitter }) !== null;
      return isDue ? clock.nowMs() : nextCloseAtMs(schedule, { closeMs: state?.cursorMs ?? 0, jitterMs: jitter });
    },
    tick: async (state, control) => {
      const nowMs = clock.nowMs();
      const cursorMs = closeDue(schedule, { nowMs, cursorMs: state?.cursorMs ?? null, jitterMs: jitter }) ?? nowMs;
      const chosen = await work.markets(control.signal);
      const markets = new Map(
        [...schedule.markets.keys()].flatMap((exchange) =>
          chosen.has(exchange) ? [[exchange, chosen.get(exchange) ?? []] as const] : [],
        ),
      );
      const result = await materialise(
        pipeline,
        {
          days: daysOfTick({ nowMs, cursorMs: state?.cursorMs ?? null }),
          markets,
          intervals: [schedule.interval],
          selection: 'missing',
          waitPolicy: 'all',
          assets: ['bronze', 'silver', ...(pipeline.settings.hub === null ? [] : ['gold' as const])],
          trigger: 'schedule',
          tags: {},
        },
        control,
      );
      return { result, cursorMs };
    },
  };
}

function recoveryLoop(pipeline: Pipeline): Loop {
  const { clock } = pipeline.ports;
  return {
    name: 'recovery',
    dueAtMs: (state) => (state === null ? clock.nowMs() : state.cursorMs + RECOVERY_EVERY_MS),
    tick: async (_state, control) => ({
      cursorMs: clock.nowMs(),
      result: await heal(pipeline, { waitPolicy: 'all' }, control),
    }),
  };
}

/** Verifies a sample of one closed day per day. The cursor is the last verified day; the first tick only sets it. */
function verificationLoop(pipeline: Pipeline, work: DaemonWork): Loop {
  const { clock } = pipeline.ports;
  return {
    name: 'verification',
    dueAtMs: (state) => (state === null ? clock.nowMs() : nextVerificationAtMs(dayOf(state.cursorMs))),
    tick: async (state, control) => {
      const day = dayToVerify(clock.nowMs());
      const result =
        state === null
          ? await executeAll(pipeline, [], control)
          : await reverify(
              pipeline,
              { day, markets: await work.markets(control.signal), intervals: work.intervals },
              control,
            );
      return { cursorMs: dayStartMs(day), result };
    },
  };
}
