import { withTimeLimit } from '../../platform/time-limit.ts';
import { silentLog } from '../../platform/ports/log.ts';
import type { HttpResponse } from '../../platform/ports/http.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS } from '../../domain/interval.ts';
import { choiceText, chosenOf, type MarketChoice } from '../../domain/symbol-selector.ts';
import { createExecutor } from '../../resilience/retry/executor.ts';
import { UNTRIED, type ChannelHealth } from '../../alerting/outbox/channel-health.ts';
import { allHealth } from '../../alerting/outbox/channel-records.ts';
import { wireCodeOf } from '../../alerting/channels/http-channel.ts';
import { sendHeartbeat } from '../../alerting/outbox/heartbeat.ts';
import { ledgerTotals } from '../../state/cells.ts';
import { SLEEP_MS_MAX } from '../../errors/schedule.ts';
import { ruleOf } from '../../errors/table.ts';
import { endingOfFault, type Ending } from '../core/ending.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { MarketChoices } from '../core/symbol-resolution.ts';
import { singleCall } from '../core/single-query.ts';
import { venueOf } from '../core/exchanges.ts';

/** One line of `doctor`. */
export interface CheckRow {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about it; null when there is nothing to do. */
  readonly fix: string | null;
  /** The ending this row gives the process; the most severe one of all rows decides. */
  readonly ending: Ending;
}

const FREE_BYTES_WARN = 1_000_000_000;
const CLOCK_SKEW_WARN_MS = 2_000;
/** Deadline of one check, attempts included: shorter than a run's. Unit: milliseconds. */
const VENUE_DEADLINE_MS = 10_000;

const ok = (check: string, detail: string): CheckRow => ({ check, status: 'ok', detail, fix: null, ending: 'done' });

/** Checks everything a run needs: disk, state, each configured exchange, the Hub, alert channels and heartbeat. */
export async function healthCheck(
  pipeline: Pipeline,
  choices: MarketChoices,
  signal: AbortSignal,
): Promise<readonly CheckRow[]> {
  const venues = await Promise.all(
    [...choices].map(([exchange, own]) => venueRow(pipeline, { exchange, own }, signal)),
  );
  return [
    diskRow(pipeline),
    await stateRow(pipeline),
    ...venues,
    await hubRow(pipeline, signal),
    ...(await channelRows(pipeline)),
    ...(await heartbeatRow(pipeline, signal)),
  ];
}

function diskRow({ ports, lake }: Pipeline): CheckRow {
  const freeBytes = ports.files.freeBytes(lake.root);
  const detail = `${lake.root} can be written, ${(freeBytes / 1e9).toFixed(1)} GB free`;
  return freeBytes >= FREE_BYTES_WARN
    ? ok('disk', detail)
    : { check: 'disk', status: 'warn', detail, fix: 'free space before the next backfill', ending: 'done' };
}

async function stateRow({ ports, lake }: Pipeline): Promise<CheckRow> {
  const damages = await ports.store.damages();
  const others = damages.length - 1;
  if (damages.length > 0)
    return {
      check: 'state',
      status: 'fail',
      detail: `${lake.state} is damaged: ${damages[0] ?? ''}${others > 0 ? ` and ${others} more` : ''}`,
      fix: 'restore a copy; bronze and silver beside it are complete (candlekeep explain STATE_UNUSABLE)',
      ending: endingOfFault('STATE_UNUSABLE'),
    };
  const totals = await ports.store.read(ledgerTotals);
  const cells = totals.reduce((sum, total) => sum + total.cells, 0);
  return ok('state', `${lake.state} is whole, ${cells} cells`);
}

/** Requests the exchange's symbol list, which shows reachability, the configured symbols and our clock error. */
async function venueRow(
  pipeline: Pipeline,
  { exchange, own }: { readonly exchange: Exchange; readonly own: readonly MarketChoice[] },
  signal: AbortSignal,
): Promise<CheckRow> {
  const { ports, settings } = pipeline;
  const { adapter, origins, policies } = venueOf(pipeline.venues, exchange);
  const opensAtMs = await policies.gate.opensAtMs();
  if (opensAtMs !== null && opensAtMs - ports.clock.nowMs() <= SLEEP_MS_MAX) {
    // A run would sleep until then; a check reports it instead.
    return {
      check: exchange,
      status: 'warn',
      detail: `paused our requests until ${new Date(opensAtMs).toISOString().slice(11, 19)}Z, so none was sent`,
      fix: 'nothing: a run waits until then by itself',
      ending: 'done',
    };
  }
  const executor = createExecutor({
    clock: ports.clock,
    random: ports.random.fork('health check'),
    http: ports.http,
    log: silentLog,
    policies,
    attemptTimeoutMs: Math.min(settings.requestTimeoutMs, VENUE_DEADLINE_MS),
    deadlineMs: VENUE_DEADLINE_MS,
  });
  const query = {
    request: (origin: string) => adapter.symbolsRequest(origin),
    read: (response: HttpResponse, atMs: number) => adapter.readSymbols(response, atMs),
  };
  const result = await executor.execute(singleCall({ adapter, origins }, query), signal);
  if (!result.ok) {
    return {
      check: exchange,
      status: 'fail',
      detail: `${result.fault.message} (${result.fault.code}, ${result.requests} requests)`,
      fix: ruleOf(result.fault.code).hint,
      ending: endingOfFault(result.fault.code),
    };
  }
  const { listings } = result.value;
  const listed = new Set(listings.map((listing) => listing.symbol));
  const markets = listings.filter(({ isTrading }) => isTrading).map(({ symbol }) => ({ symbol, quoteVolume: null }));
  const unknown = own
    .filter((choice) =>
      choice.kind === 'symbol' ? !listed.has(choice.symbol) : chosenOf(choice, markets).length === 0,
    )
    .map(choiceText);
  if (unknown.length > 0)
    return {
      check: exchange,
      status: 'warn',
      detail: `does not list ${unknown.join(', ')}`,
      fix: 'correct the configured symbols (candlekeep config show prints where they come from)',
      ending: 'done',
    };
  const skewMs = Math.abs(
    ports.clock.nowMs() - Date.parse(result.response.headers['date'] ?? new Date(ports.clock.nowMs()).toUTCString()),
  );
  const clocks = `clocks ${(skewMs / 1_000).toFixed(1)} s apart`;
  const detail = `answers at ${result.origin}, ${listed.size} symbols listed, ${clocks}`;
  return skewMs <= CLOCK_SKEW_WARN_MS
    ? ok(exchange, detail)
    : { check: exchange, status: 'warn', detail, fix: "synchronise this machine's clock (NTP)", ending: 'done' };
}

/**
 * Requests the repository from the Hub: whether it responds, and whether the token has access. A missing repository is
 * no failure: the first publication creates it.
 */
async function hubRow({ ports, settings: { hub } }: Pipeline, signal: AbortSignal): Promise<CheckRow> {
  if (hub === null) return ok('hub', 'not configured: gold stays on disk (CANDLEKEEP_HF_REPO and HF_TOKEN publish it)');
  const failed = (detail: string): CheckRow => ({
    check: 'hub',
    status: 'fail',
    detail: `${hub.repo} at ${hub.endpoint}: ${detail}`,
    fix: ruleOf('PUBLISH_FAILED').hint,
    ending: 'assetFailed',
  });
  const timeoutError = (): Error => Object.assign(new Error('the Hub did not answer in time'), { code: 'ETIMEDOUT' });
  try {
    const { status } = await withTimeLimit(
      ports.clock,
      { limitMs: VENUE_DEADLINE_MS, timeoutError, outer: signal },
      async (limited) => {
        const response = await ports.fetch(`${hub.endpoint}/api/datasets/${hub.repo}`, {
          headers: { authorization: `Bearer ${hub.token}` },
          signal: limited,
        });
        await response.body?.cancel();
        return response;
      },
    );
    return status === 200
      ? ok('hub', `${hub.repo} at ${hub.endpoint}`)
      : status === 404
        ? ok('hub', `${hub.endpoint} answers; ${hub.repo} will be created by the first publication`)
        : failed(`answered ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    return failed(wireCodeOf(error));
  }
}

/** A channel unused for longer may have failed unnoticed. Unit: milliseconds. */
const UNTESTED_MS_MAX = 30 * DAY_MS;

async function channelRows({ ports, dispatcher }: Pipeline): Promise<readonly CheckRow[]> {
  if (dispatcher.channels.length === 0)
    return [
      {
        check: 'alerts',
        status: 'warn',
        detail: 'no channel is configured: alerts are kept but not sent',
        fix: 'set SLACK_WEBHOOK_URL, SMTP_URL with ALERT_EMAIL_TO, PAGERDUTY_ROUTING_KEY or ALERT_WEBHOOK_URL',
        ending: 'done',
      },
    ];
  const healths = await ports.store.read(allHealth);
  return dispatcher.channels.map(({ name }) => channelRow(name, healths.get(name) ?? UNTRIED, ports.clock.nowMs()));
}

function channelRow(name: string, { downSinceMs, lastError, lastSentAtMs }: ChannelHealth, nowMs: number): CheckRow {
  const fix = `candlekeep alerts test --channel ${name}`;
  const at = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 16);
  if (downSinceMs !== null)
    return {
      check: name,
      status: 'fail',
      detail: `has not delivered since ${at(downSinceMs)}Z: ${lastError ?? ''}`,
      fix,
      ending: 'undelivered',
    };
  if (lastSentAtMs === null)
    return { check: name, status: 'warn', detail: 'has not delivered a message yet', fix, ending: 'done' };
  const detail = `delivered its last message at ${at(lastSentAtMs)}Z`;
  return nowMs - lastSentAtMs <= UNTESTED_MS_MAX
    ? ok(name, detail)
    : { check: name, status: 'warn', detail, fix, ending: 'done' };
}

/** No row without HEARTBEAT_URL: cron or a service manager may watch the process instead. */
async function heartbeatRow(
  { ports, settings: { alerts } }: Pipeline,
  signal: AbortSignal,
): Promise<readonly CheckRow[]> {
  if (alerts.heartbeatUrl === null) return [];
  if (await sendHeartbeat(ports, alerts.heartbeatUrl, [], signal)) return [ok('heartbeat', 'was accepted')];
  return [
    {
      check: 'heartbeat',
      status: 'fail',
      detail: 'was not accepted',
      fix: 'check HEARTBEAT_URL',
      ending: 'undelivered',
    },
  ];
}
