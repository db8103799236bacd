// The exchange of a workload, in its own process: sends its URL, then a report for every message.
import { realClock } from '../src/platform/node/system-clock.ts';
import { serveOnLoopback } from '../src/simulation/loopback.ts';
import type { StandInHandler } from '../src/simulation/stand-ins/reply.ts';
import { standInBinance } from '../src/simulation/stand-ins/stand-in-binance.ts';
import type { RequestEntry } from '../src/simulation/stand-ins/stand-in-exchange.ts';
import { candlesOf } from './workload.ts';
import type { ExchangeReport, ExchangeSetup } from './exchange.ts';
import { planOf } from './fault-schedule.ts';

const { workload, leastMs } = JSON.parse(process.argv[2] ?? '') as ExchangeSetup;
const exchange = standInBinance({ world: candlesOf(workload), limit: workload.limit });

/** The fault plan starts at the first request. */
const handle: StandInHandler = async (request, nowMs) => {
  if (exchange.log.length === 0) exchange.plan(planOf(workload, { startMs: nowMs, leastMs }));
  const reply = await exchange.handle(request, nowMs);
  return reply.kind === 'answer' && workload.rttMs > 0
    ? { ...reply, delayMs: (reply.delayMs ?? 0) + workload.rttMs }
    : reply;
};

const server = await serveOnLoopback(handle, { clock: realClock });
process.on('message', () => process.send?.(reportOf(exchange.log)));
process.on('disconnect', () => process.exit());
process.send?.({ url: server.url });

function wholeWindowsOf(log: readonly RequestEntry[]): Pick<ExchangeReport, 'wholeWindows' | 'wholeWindowsWeight'> {
  const windowOf = ({ atMs }: RequestEntry): number => Math.floor(atMs / workload.limit.windowMs);
  const indexes = log.map(windowOf);
  const [first, last] = [indexes[0] ?? 0, indexes.at(-1) ?? 0];
  const inside = log.filter((_, at) => (indexes[at] ?? 0) > first && (indexes[at] ?? 0) < last);
  return {
    wholeWindows: Math.max(0, last - first - 1),
    wholeWindowsWeight: inside.reduce((sum, { weight }) => sum + weight, 0),
  };
}

function reportOf(log: readonly RequestEntry[]): ExchangeReport {
  const count = (matches: (entry: RequestEntry) => boolean): number => log.filter(matches).length;
  const injected: Record<string, number> = {};
  for (const { fault } of log) {
    if (fault === null) continue;
    const kind = fault.kind === 'status' ? String(fault.status) : fault.kind;
    injected[kind] = (injected[kind] ?? 0) + 1;
  }
  return {
    requests: log.length,
    injected,
    injectedTotal: count(({ fault }) => fault !== null),
    responses429: count(({ status }) => status === 429),
    overLimit: count(({ overLimit, status }) => overLimit && status === 429),
    bans: count(({ status }) => status === 418),
    sentWhileClosed: count(({ sentWhileClosed }) => sentWhileClosed),
    ...wholeWindowsOf(log),
  };
}
