import { expect, test } from 'vitest';
import { drainAlerts } from '../../../src/alerting/outbox/delivery.ts';
import { outboxState } from '../../../src/alerting/outbox/outbox.ts';
import { enqueueTest } from '../../../src/alerting/outbox/test-message.ts';
import { always } from '../../../src/simulation/fault-plan.ts';
import {
  alertWorld,
  HEALTHY,
  EMAIL,
  PAGERDUTY,
  SLACK,
  titles,
  UNDELIVERED,
  WEBHOOK,
} from '../../support/alert-harness.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CRITICAL = { code: 'UNAUTHORIZED', level: 'critical', scope: 'asset', summary: 'binance answered 401' } as const;
const neverAborted = (): AbortSignal => new AbortController().signal;

test('a resolve collapses a trigger that was never sent and follows one that may have arrived', async () => {
  for (const [fault, expected] of [
    [{ kind: 'silence' }, 'RESOLVED'],
    [{ kind: 'answer-lost' }, 'WARNING'],
  ] as const) {
    const world = alertWorld(`broken ${fault.kind}`, { channels: [SLACK] });
    world.slack.plan(always(fault));
    await world.raise();
    await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted(), 5_000));
    await world.resolve();
    world.slack.plan(HEALTHY);
    world.start();
    await world.pass(2 * HOUR_MS);
    const own = titles(world, 'slack')
      .filter((title) => title.includes('SERVER_ERROR'))
      .map((title) => title.slice(1, title.indexOf(']')));
    expect(own[0]).toBe(fault.kind === 'silence' ? 'WARNING' : expected);
    expect(own.at(-1)).toBe('RESOLVED');
  }
});

test('a page that waits behind another one is withdrawn when its cause ends first', async () => {
  const world = alertWorld('taken back', { channels: [PAGERDUTY, SLACK] });
  world.pagerduty.plan(always({ kind: 'silence' }));
  world.start();
  await world.raise({ ...CRITICAL, exchange: 'okx', asset: 'bronze_okx_ohlcv', code: 'DEFECT' });
  await world.pass(1_000);
  await world.raise(CRITICAL);
  await world.pass(14_000);
  await world.resolve(CRITICAL);
  world.pagerduty.plan(HEALTHY);
  await world.pass(HOUR_MS);
  expect(world.pagerduty.received.map(({ message }) => message.dedup_key)).toEqual([
    'candlekeep/test/okx/DEFECT/bronze_okx_ohlcv',
  ]);
  expect(
    titles(world, 'slack')
      .filter((title) => title.includes('at binance'))
      .map((title) => title.split(']')[0]),
  ).toEqual(['[CRITICAL', '[RESOLVED']);
});

test('a pager whose response was lost still gets the end, even after a fallback was notified', async () => {
  const world = alertWorld('taken silently', { channels: [PAGERDUTY, SLACK, EMAIL] });
  world.pagerduty.plan(always({ kind: 'answer-lost' }));
  world.start();
  await world.raise(CRITICAL);
  await world.pass(20_000);
  expect(titles(world, 'email')).toContain('[CRITICAL] UNAUTHORIZED at binance: binance answered 401');
  expect([...world.pagerduty.open().keys()]).toContain('candlekeep/test/binance/UNAUTHORIZED/bronze_binance_ohlcv');
  await world.resolve(CRITICAL);
  world.pagerduty.plan(HEALTHY);
  await world.pass(HOUR_MS);
  expect(world.pagerduty.open().size).toBe(0);
});

test('a cause that failed and healed unsent goes to the next channel when the first is down', async () => {
  const world = alertWorld('healed line', { channels: [SLACK, EMAIL] });
  world.slack.plan(always({ kind: 'status', status: 404 }));
  await world.raise();
  await world.resolve();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(titles(world, 'email')).toContain(
    '[RESOLVED] EXCHANGE_SERVER_ERROR at binance: failed and healed after 0 s, healed',
  );
});

test('a beginning and an end that both wait for a channel that goes down are one message at the next', async () => {
  const world = alertWorld('both wait', { channels: [SLACK, EMAIL] });
  world.slack.plan(always({ kind: 'status', status: 500 }));
  await world.raise();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted(), 300));
  await world.resolve();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(titles(world, 'email').filter((title) => title.includes('at binance'))).toEqual([
    expect.stringMatching(/^\[RESOLVED\] EXCHANGE_SERVER_ERROR at binance: failed and healed/),
  ]);
});

test('a refused bundle is sent again one by one', async () => {
  const world = alertWorld('refused bundle', { channels: [SLACK, EMAIL] });
  world.slack.plan({ seed: 'x', rules: [{ on: { nth: [1] }, fault: { kind: 'status', status: 400 } }] });
  world.start();
  const codes = [
    'NOT_FOUND',
    'REQUEST_REJECTED',
    'SCHEMA_MISMATCH',
    'REQUEST_TIMEOUT',
    'CONNECTION_FAILED',
    'ROWS_INVALID',
  ] as const;
  for (const code of codes) await world.raise({ code });
  await world.pass(2 * MINUTE_MS);
  expect(titles(world, 'slack').map((title) => title.split(' ')[1])).toEqual(codes.toSorted());
  expect(titles(world, 'email')).toEqual([]);
});

test('a channel removed from the configuration leaves no pending message, and others are notified', async () => {
  const world = alertWorld('unconfigured', { channels: [SLACK, EMAIL] });
  world.slack.plan(always({ kind: 'silence' }));
  await world.raise();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted(), 2_000));
  const dispatcher = {
    ...world.dispatcher,
    channels: world.dispatcher.channels.filter(({ name }) => name === 'email'),
  };
  await world.clock.runUntil(drainAlerts(dispatcher, neverAborted()));
  expect(titles(world, 'email')).toContain('[WARNING] EXCHANGE_SERVER_ERROR at binance: 3 of 40 symbols failed');
  expect((await world.act(() => outboxState())).pending).toBe(0);
});

test('when Slack is down, e-mail gets the alert within a minute; a Slack that is back gets firing ones', async () => {
  for (const fault of [
    { kind: 'silence' },
    { kind: 'status', status: 404 },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 429, retryAfter: '120' },
  ] as const) {
    const world = alertWorld(`slack down ${JSON.stringify(fault)}`, { channels: [SLACK, EMAIL] });
    world.slack.plan(always(fault));
    world.start();
    const raisedAtMs = world.clock.nowMs();
    await world.raise();
    await world.pass(3 * MINUTE_MS);
    const mails = world.received().filter(({ channel }) => channel === 'email');
    expect(mails.map(({ title }) => title.split(' at ')[0])).toEqual(
      expect.arrayContaining(['[WARNING] EXCHANGE_SERVER_ERROR', '[ERROR] ALERT_CHANNEL_BROKEN']),
    );
    expect(mails.find(({ title }) => title.includes('SERVER_ERROR'))?.atMs).toBeLessThanOrEqual(raisedAtMs + MINUTE_MS);
    expect(mails.find(({ title }) => title.includes('BROKEN'))?.title).toContain(
      'the alert channel slack does not deliver',
    );
    world.slack.plan(HEALTHY);
    await world.pass(HOUR_MS);
    expect(titles(world, 'slack')).toContain('[WARNING] EXCHANGE_SERVER_ERROR at binance: 3 of 40 symbols failed');
    expect(await world.act(() => outboxState())).toEqual({ pending: 0, oldestAtMs: null });
    expect(titles(world, 'email').at(-1)).toContain('[RESOLVED] ALERT_CHANNEL_BROKEN at slack');
  }
});

test('a short 429 is waited out and does not count as a broken channel', async () => {
  const world = alertWorld('429', { channels: [SLACK, EMAIL] });
  world.slack.plan({
    seed: 'x',
    rules: [{ on: { nth: [1, 2, 3, 4] }, fault: { kind: 'status', status: 429, retryAfter: '5' } }],
  });
  world.start();
  await world.raise();
  await world.pass(5 * MINUTE_MS);
  expect(world.received().map(({ channel }) => channel)).toEqual(['slack']);
});

test('when all channels are down, messages go to undelivered.jsonl and are delivered in order later', async () => {
  const world = alertWorld('all down', { channels: [SLACK, EMAIL] });
  world.slack.plan(always({ kind: 'reset' }));
  world.mail.setDown('down');
  world.start();
  for (const code of ['NOT_FOUND', 'REQUEST_REJECTED', 'SCHEMA_MISMATCH'] as const) {
    await world.raise({ code });
    await world.pass(MINUTE_MS);
  }
  await world.pass(20 * MINUTE_MS);
  expect(world.received()).toEqual([]);
  const lines = Buffer.from(world.files.read(UNDELIVERED))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; notice: { code: string } });
  expect(lines.map(({ notice }) => notice.code)).toEqual(
    expect.arrayContaining(['NOT_FOUND', 'REQUEST_REJECTED', 'SCHEMA_MISMATCH']),
  );
  expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
  world.slack.plan(HEALTHY);
  world.mail.setDown('up');
  await world.pass(HOUR_MS);
  const received = world.slack.received.map(({ message }) => JSON.stringify(message)).join('\n');
  const places = ['NOT_FOUND', 'REQUEST_REJECTED', 'SCHEMA_MISMATCH'].map((code) =>
    received.indexOf(`${code} at binance`),
  );
  expect(places.every((place) => place >= 0)).toBe(true);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test('a message that a channel refuses goes to the next one, and the channel stays up', async () => {
  const world = alertWorld('refused', { channels: [SLACK, EMAIL] });
  world.slack.plan({ seed: 'x', rules: [{ on: { nth: [1] }, fault: { kind: 'status', status: 400 } }] });
  world.start();
  await world.raise();
  await world.pass(2 * MINUTE_MS);
  await world.raise({ exchange: 'okx', asset: 'bronze_okx_ohlcv' });
  await world.pass(2 * MINUTE_MS);
  expect(titles(world, 'email')).toContain('[WARNING] EXCHANGE_SERVER_ERROR at binance: 3 of 40 symbols failed');
  expect(titles(world, 'slack')).toContain('[WARNING] EXCHANGE_SERVER_ERROR at okx: 3 of 40 symbols failed');
});

test('many concurrent causes are one message on Slack and one incident each on the pager', async () => {
  const world = alertWorld('many');
  world.start();
  const codes = [
    'NOT_FOUND',
    'REQUEST_REJECTED',
    'SCHEMA_MISMATCH',
    'REQUEST_TIMEOUT',
    'CONNECTION_FAILED',
    'EXCHANGE_SERVER_ERROR',
    'ROWS_INVALID',
  ] as const;
  for (const code of codes) await world.raise({ code, level: 'critical' });
  await world.pass(MINUTE_MS);
  expect(world.slack.received).toHaveLength(1);
  const [message] = world.slack.received;
  expect(message?.message.text).toBe('[CRITICAL] 7 alerts at once');
  for (const code of codes) expect(JSON.stringify(message)).toContain(`${code} at binance`);
  expect(world.pagerduty.open().size).toBe(7);
});

test('a command waits at most ten seconds for its alerts, even when a channel hangs', async () => {
  const world = alertWorld('drain', { channels: [SLACK, WEBHOOK] });
  world.slack.plan(always({ kind: 'silence' }));
  await world.raise();
  const startMs = world.clock.nowMs();
  const report = await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(world.clock.nowMs() - startMs).toBeLessThanOrEqual(10_000);
  expect(report.pending).toBe(0);
  expect(titles(world, 'webhook').map((title) => title.split(' at ')[0])).toEqual([
    '[WARNING] EXCHANGE_SERVER_ERROR',
    '[ERROR] ALERT_CHANNEL_BROKEN',
  ]);
});

test('a command whose Slack hangs sends the e-mail before it ends', async () => {
  const world = alertWorld('hurried', { channels: [SLACK, EMAIL] });
  world.slack.plan(always({ kind: 'silence' }));
  const startMs = world.clock.nowMs();
  await world.raise();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(world.clock.nowMs() - startMs).toBeLessThanOrEqual(10_000);
  expect(titles(world, 'email').map((title) => title.split(' at ')[0])).toEqual(
    expect.arrayContaining(['[WARNING] EXCHANGE_SERVER_ERROR', '[ERROR] ALERT_CHANNEL_BROKEN']),
  );
});

test('two processes deliver concurrently without duplicates, each channel in order', async () => {
  const world = alertWorld('two processes', { channels: [SLACK, WEBHOOK] });
  world.webhook.plan({ seed: 'slow', rules: [{ on: { every: 1 }, fault: { kind: 'slow', delayMs: 3_000 } }] });
  const self = { host: 'host', pid: 2, startMark: '' };
  const second = {
    ...world.dispatcher,
    ports: { ...world.dispatcher.ports, processes: { self, mayBeAlive: () => true } },
  };
  const first = {
    ...world.dispatcher,
    ports: { ...world.dispatcher.ports, processes: { self: { ...self, pid: 1 }, mayBeAlive: () => true } },
  };
  for (const code of ['NOT_FOUND', 'REQUEST_REJECTED', 'SCHEMA_MISMATCH'] as const) await world.raise({ code });
  await world.clock.runUntil(Promise.all([drainAlerts(first, neverAborted()), drainAlerts(second, neverAborted())]));
  expect(titles(world, 'webhook').map((title) => title.split(' ')[1])).toEqual([
    'NOT_FOUND',
    'REQUEST_REJECTED',
    'SCHEMA_MISMATCH',
  ]);
  expect(titles(world, 'slack')).toHaveLength(3);
});

test('a drain with a failing store only logs the failure', async () => {
  const world = alertWorld('broken store');
  const dispatcher = {
    ...world.dispatcher,
    ports: {
      ...world.dispatcher.ports,
      store: {
        ...world.store,
        transact: () => Promise.reject(Object.assign(new Error('disk full'), { code: 'ENOSPC', syscall: 'write' })),
      },
    },
  };
  expect(await world.clock.runUntil(drainAlerts(dispatcher, neverAborted()))).toEqual({ sent: 0, pending: 0 });
  expect(world.log.lines).toMatchObject([{ level: 'error', fields: { code: 'STORAGE_FAILED' } }]);
});

test('a command does not wait for a channel that stays down, once the others are notified', async () => {
  const world = alertWorld('gone for good', { channels: [PAGERDUTY, SLACK] });
  world.slack.plan(always({ kind: 'status', status: 404 }));
  await world.act(() =>
    enqueueTest({ channel: 'slack', level: 'warning', nowMs: world.clock.nowMs() }, world.dispatcher.policy),
  );
  const startMs = world.clock.nowMs();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(titles(world, 'pagerduty')).toEqual([expect.stringContaining('ALERT_CHANNEL_BROKEN')]);
  expect(world.clock.nowMs() - startMs).toBeLessThan(2_000);
});
