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

/** What the daemon looks after. */
export interface DaemonWork {
  /** Asked again for every turn: patterns and rankings may stand for other symbols by then. */
  readonly markets: (signal: AbortSignal) => Promise<ReadonlyMap<Exchange, readonly MarketSymbol[]>>;
  /** The same without asking anybody: what the rules look at. */
  readonly watched: WatchedMarkets;
  readonly intervals: readonly Interval[];
  /** Called once the data directory is this process's. */
  readonly onStarted: () => Promise<void>;
  readonly onTick: (tick: Tick) => void;
}

/** One turn of a loop that had something to do. */
export interface Tick {
  readonly loop: string;
  readonly startedAtMs: number;
  readonly result: WorkResult;
}

/** One `start` per data directory holds this lease. */
const DAEMON_LEASE = 'daemon';
/** Recovery turns this often. Unit: milliseconds. */
const RECOVERY_EVERY_MS = 60_000;

/** One thing that is done again and again. Loops stand in order of priority: fresh candles before healing. */
interface Loop {
  readonly name: string;
  /** When its next turn is due. */
  dueAtMs(state: LoopState | null): number;
  tick(state: LoopState | null, control: Control): Promise<{ readonly result: WorkResult; readonly cursorMs: number }>;
}

/**
 * Keeps a data directory fresh and whole until `control.signal` aborts: asks for candles when they have
 * closed, catches up after an absence with one turn, and heals what is pending. One turn at a time; how far
 * each loop came is in the store. Alerts, rules and heartbeat go on beside it.
 * @throws CellsLeasedError (CELLS_LEASED) when another daemon looks after the directory.
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
      watched(pipeline, { work, signal }, () => turnUntilStopped(pipeline, { loops, work }, { ...control, signal })),
    );
  } finally {
    await ports.store.transact('releaseLeases', () => releaseLeases(owner));
  }
}

/** Keeps watch for as long as `turns` go on. */
async function watched(
  pipeline: Pipeline,
  { work, signal }: { readonly work: DaemonWork; readonly signal: AbortSignal },
  ticks: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const watching = keepWatch(pipeline, work.watched, AbortSignal.any([signal, done.signal]));
  try {
    await ticks();
  } finally {
    done.abort(new CancelledError('the turns have ended'));
    await watching;
  }
}

async function turnUntilStopped(
  pipeline: Pipeline,
  { loops, work }: { readonly loops: readonly Loop[]; readonly work: DaemonWork },
  control: Control,
): Promise<void> {
  const { clock } = pipeline.ports;
  while (!control.signal.aborted) {
    const next = await nextTurn(pipeline, loops);
    const waitMs = next.dueAtMs - clock.nowMs();
    if (waitMs > 0) await clock.sleep(waitMs, control.signal).catch(unlessAborted(control.signal));
    else await takeTurn(pipeline, { ...next, work }, control);
  }
  if (control.signal.reason instanceof CellsLeasedError) throw control.signal.reason; // it slept too long and another took its place
}

const unlessAborted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error;
  };

interface NextTurn {
  readonly loop: Loop;
  readonly state: LoopState | null;
  readonly dueAtMs: number;
}

/** The first loop in order whose turn is due, else the one that is due first. */
async function nextTurn({ ports }: Pipeline, loops: readonly Loop[]): Promise<NextTurn> {
  const ticks: NextTurn[] = [];
  for (const loop of loops) {
    const state = await ports.store.read('loopState', () => loopState(loop.name));
    ticks.push({ loop, state, dueAtMs: loop.dueAtMs(state) });
  }
  const nowMs = ports.clock.nowMs();
  return ticks.find((tick) => tick.dueAtMs <= nowMs) ?? ticks.reduce((a, b) => (b.dueAtMs < a.dueAtMs ? b : a));
}

async function takeTurn(
  { ports }: Pipeline,
  { loop, state, work }: NextTurn & { readonly work: DaemonWork },
  control: Control,
): Promise<void> {
  const startedAtMs = ports.clock.nowMs();
  const { result, cursorMs } = await loop.tick(state, control);
  if (control.signal.aborted) return; // it did not get through: the next process begins it again
  await ports.store.transact('recordLoopTurn', () =>
    recordLoopTick(loop.name, { cursorMs, tickedAtMs: ports.clock.nowMs() }),
  );
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

/** Once a day, a sample of a day that has been closed for one: the cursor is the day verified last. A first turn only sets it. */
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
