import { expect, test } from 'vitest';
import { acknowledgeAlert, firingAlerts, raiseAlert } from '../../../src/alerting/model/alerts.ts';
import { auditTrail } from '../../../src/alerting/model/audit.ts';
import { drainAlerts } from '../../../src/alerting/outbox/delivery.ts';
import { writeDigest } from '../../../src/alerting/plan/digest.ts';
import { alertLevel, nextStep } from '../../../src/alerting/model/levels.ts';
import { messagesOf, pendingMessages } from '../../../src/alerting/outbox/outbox.ts';
import { addSilence, endSilence } from '../../../src/alerting/model/silences.ts';
import { enqueueTest } from '../../../src/alerting/outbox/test-message.ts';
import { always } from '../../../src/simulation/fault-plan.ts';
import { alertWorld, eventOf, HEALTHY, EMAIL, PAGERDUTY, SLACK, titles, WEBHOOK } from '../../support/alert-harness.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CRITICAL = { code: 'UNAUTHORIZED', level: 'critical', scope: 'asset', summary: 'binance answered 401' } as const;
const neverAborted = (): AbortSignal => new AbortController().signal;

test('500 symbols that fail with one cause are one trigger and one resolve', async () => {
  const world = alertWorld('500 symbols');
  world.start();
  for (let symbol = 1; symbol <= 500; symbol++)
    await world.raise({
      summary: `${symbol} of 500 symbols failed`,
      affected: { total: symbol, worst: ['A/USDT', 'B/USDT'] },
    });
  await world.raise({ code: 'SYMBOLS_FAILED', level: 'warning', summary: 'more than half of the symbols failed' });
  await world.raise({ code: 'RULE_FAILED_SYMBOLS', level: 'warning' });
  await world.pass(5 * MINUTE_MS);
  expect(titles(world, 'slack')).toEqual(['[WARNING] EXCHANGE_SERVER_ERROR at binance: 500 of 500 symbols failed']);
  for (const code of ['EXCHANGE_SERVER_ERROR', 'SYMBOLS_FAILED', 'RULE_FAILED_SYMBOLS'] as const)
    await world.resolve({ code }, 'healed by run_2');
  await world.pass(HOUR_MS);
  expect(world.received().map(({ title }) => title)).toEqual([
    '[WARNING] EXCHANGE_SERVER_ERROR at binance: 500 of 500 symbols failed',
    '[RESOLVED] EXCHANGE_SERVER_ERROR at binance: over after 5 min, healed by run_2',
  ]);
});

test('ten flapping cycles in an hour are at most four messages, and the last one is the end', async () => {
  const world = alertWorld('flapping');
  world.start(20_000);
  for (let cycle = 0; cycle < 10; cycle++) {
    await world.raise(CRITICAL);
    await world.pass(3 * MINUTE_MS);
    await world.resolve(CRITICAL);
    await world.pass(3 * MINUTE_MS);
  }
  await world.pass(3 * HOUR_MS);
  for (const channel of ['slack', 'pagerduty']) {
    const received = titles(world, channel);
    expect(received.length).toBeLessThanOrEqual(4);
    expect(received.at(-1)).toMatch(/RESOLVED|resolve/);
  }
  expect(world.pagerduty.open().size).toBe(0);
});

test('ten failures too short to be sent are not ten messages', async () => {
  const world = alertWorld('short flapping');
  world.start(20_000);
  for (let cycle = 0; cycle < 10; cycle++) {
    await world.raise();
    await world.pass(10_000);
    await world.resolve();
    await world.pass(5 * MINUTE_MS);
  }
  await world.pass(3 * HOUR_MS);
  expect(titles(world, 'slack').length).toBeLessThanOrEqual(4);
  expect(titles(world, 'slack').length).toBeGreaterThan(0);
});

test('a failure that heals on its first retry is one warning and its resolve: no page, no e-mail', async () => {
  const world = alertWorld('first retry');
  world.start();
  const forecast = {
    kind: 'healing',
    attempt: 1,
    attemptsMax: 3,
    nextAtMs: world.clock.nowMs() + 5 * MINUTE_MS,
  } as const;
  const level = alertLevel(
    { code: 'PUBLISH_FAILED', asset: 'gold_huggingface_ohlcv', scope: 'asset' },
    forecast,
    new Set(['gold_huggingface_ohlcv']),
  );
  await world.raise({
    exchange: null,
    code: 'PUBLISH_FAILED',
    asset: 'gold_huggingface_ohlcv',
    scope: 'asset',
    level,
    summary: 'the Hub answered 500',
    next: nextStep(forecast),
  });
  await world.pass(5 * MINUTE_MS);
  await world.resolve(
    { exchange: null, code: 'PUBLISH_FAILED', asset: 'gold_huggingface_ohlcv' },
    'healed by run_2 on try 2 of 4',
  );
  await world.pass(HOUR_MS);
  expect(world.received().map(({ channel, title }) => [channel, title])).toEqual([
    ['slack', '[WARNING] PUBLISH_FAILED at gold_huggingface_ohlcv: the Hub answered 500'],
    ['slack', '[RESOLVED] PUBLISH_FAILED at gold_huggingface_ohlcv: over after 5 min, healed by run_2 on try 2 of 4'],
  ]);
  expect(JSON.stringify(world.slack.received[0])).toContain('healing 1/3, next at 2024-07-01T00:05Z');
});

test('a failure whose retries are used up is sent once at its final level and ends once', async () => {
  const world = alertWorld('used up');
  world.start();
  await world.raise();
  await world.pass(20 * MINUTE_MS);
  await world.raise({
    level: alertLevel(
      { code: 'EXCHANGE_SERVER_ERROR', asset: 'bronze_binance_ohlcv', scope: 'symbols' },
      { kind: 'exhausted' },
      new Set(),
    ),
  });
  await world.pass(20 * MINUTE_MS);
  await world.resolve();
  await world.pass(HOUR_MS);
  expect(titles(world, 'slack').map((title) => title.split(']')[0])).toEqual(['[WARNING', '[ERROR', '[RESOLVED']);
  expect(titles(world, 'email').map((title) => title.split(']')[0])).toEqual(['[ERROR', '[RESOLVED']);
  expect(titles(world, 'pagerduty')).toEqual([]);
});

test('a critical alert goes to the pager and to Slack immediately', async () => {
  const world = alertWorld('critical');
  world.start();
  await world.raise(CRITICAL);
  await world.pass(6_000);
  expect(
    world
      .received()
      .map(({ channel }) => channel)
      .toSorted(),
  ).toEqual(['pagerduty', 'slack']);
});

test('a cause that ends before it was sent is one message about both and no page', async () => {
  const world = alertWorld('collapsed');
  await world.raise({ ...CRITICAL });
  await world.resolve(CRITICAL, 'healed');
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(world.received().map(({ channel, title }) => [channel, title])).toEqual([
    ['slack', '[RESOLVED] UNAUTHORIZED at binance: failed and healed after 0 s, healed'],
  ]);
});

test('a cause that keeps firing is sent again every four hours under the same key, until acknowledged', async () => {
  const world = alertWorld('repeat');
  world.start(60_000);
  await world.raise(CRITICAL);
  await world.pass(9 * HOUR_MS);
  const triggers = world.pagerduty.received.map(({ message }) => message);
  expect(triggers).toHaveLength(3);
  expect(new Set(triggers.map(({ dedup_key }) => dedup_key)).size).toBe(1);
  const [alert] = await world.act(() => firingAlerts());
  expect(await world.act(() => acknowledgeAlert(alert?.fingerprint ?? '', 'Ada', world.clock.nowMs()))).toBe(true);
  await world.pass(9 * HOUR_MS);
  expect(world.pagerduty.received.map(({ message }) => message.event_action)).toEqual([
    'trigger',
    'trigger',
    'trigger',
    'acknowledge',
  ]);
  expect([...world.pagerduty.open().values()]).toEqual(['acknowledged']);
  await world.resolve(CRITICAL);
  await world.pass(HOUR_MS);
  expect(world.pagerduty.open().size).toBe(0);
  expect((await world.act(() => auditTrail(100))).filter(({ action }) => action === 'acknowledged')).toMatchObject([
    { actor: 'Ada' },
  ]);
});

test('a silence mutes until it ends; then alerts that still fire are sent', async () => {
  const world = alertWorld('silence');
  world.start();
  const createdAtMs = world.clock.nowMs();
  await world.act(() =>
    addSilence({
      id: 'silence_1',
      exchange: 'binance',
      code: null,
      asset: null,
      author: 'Ada',
      reason: 'announced maintenance',
      createdAtMs,
      expiresAtMs: createdAtMs + HOUR_MS,
    }),
  );
  await world.raise();
  await world.raise({ exchange: 'okx', asset: 'bronze_okx_ohlcv' });
  await world.raise({ code: 'NOT_FOUND' });
  await world.pass(HOUR_MS / 2);
  await world.resolve({ code: 'NOT_FOUND' });
  await world.pass(HOUR_MS / 4);
  expect(titles(world, 'slack')).toEqual(['[WARNING] EXCHANGE_SERVER_ERROR at okx: 3 of 40 symbols failed']);
  await world.pass(HOUR_MS);
  expect(titles(world, 'slack')).toEqual([
    '[WARNING] EXCHANGE_SERVER_ERROR at okx: 3 of 40 symbols failed',
    '[WARNING] EXCHANGE_SERVER_ERROR at binance: 3 of 40 symbols failed',
  ]);
});

test('a silence must name something and must end', async () => {
  const world = alertWorld('endless silence');
  const silence = {
    id: 's',
    exchange: null,
    code: null,
    asset: null,
    author: 'Ada',
    reason: 'x',
    createdAtMs: 0,
    expiresAtMs: 1,
  };
  await expect(world.act(() => addSilence(silence))).rejects.toThrow(RangeError);
  await expect(world.act(() => addSilence({ ...silence, exchange: 'okx', expiresAtMs: Infinity }))).rejects.toThrow(
    RangeError,
  );
  await expect(world.act(() => addSilence({ ...silence, exchange: 'okx', expiresAtMs: 0 }))).rejects.toThrow(
    RangeError,
  );
});

test('a venue that is down hides its symbols and late candles, and takes the worst hidden level', async () => {
  const world = alertWorld('venue down');
  world.start();
  await world.raise({ code: 'CONNECTION_FAILED', scope: 'asset', summary: 'binance cannot be reached' });
  await world.raise({ code: 'NOT_FOUND' });
  await world.raise({ code: 'SYMBOLS_FAILED' });
  await world.raise({ code: 'RULE_FRESHNESS', exchange: null, asset: 'silver_ohlcv_normalized', scope: 'asset' });
  await world.pass(MINUTE_MS);
  expect(world.received().map(({ channel, title }) => [channel, title])).toEqual([
    ['slack', '[WARNING] CONNECTION_FAILED at binance: binance cannot be reached'],
  ]);
  await world.raise({ code: 'RULE_FRESHNESS', asset: 'bronze_binance_ohlcv', level: 'critical' });
  await world.pass(MINUTE_MS);
  expect(titles(world, 'pagerduty')).toEqual(['[CRITICAL] CONNECTION_FAILED at binance: binance cannot be reached']);
  expect(titles(world, 'slack')).toEqual([
    '[WARNING] CONNECTION_FAILED at binance: binance cannot be reached',
    '[CRITICAL] CONNECTION_FAILED at binance: binance cannot be reached',
  ]);
  expect(JSON.stringify(world.pagerduty.received[0])).toContain(
    'Because of it: RULE_FRESHNESS, NOT_FOUND, SYMBOLS_FAILED.',
  );
  for (const code of ['CONNECTION_FAILED', 'NOT_FOUND', 'SYMBOLS_FAILED'] as const) await world.resolve({ code });
  await world.pass(20 * MINUTE_MS);
  expect(titles(world, 'slack').slice(2).toSorted()).toEqual([
    '[CRITICAL] RULE_FRESHNESS at binance: 3 of 40 symbols failed',
    '[RESOLVED] CONNECTION_FAILED at binance: over after 2 min, healed',
    '[WARNING] RULE_FRESHNESS at silver_ohlcv_normalized: 3 of 40 symbols failed',
  ]);
});

test('a tag routes an alert to its own channel instead of the default of that kind', async () => {
  const team = {
    name: 'team-slack',
    isDefault: false,
    kind: 'slack',
    url: 'http://team.test/services/T0/B0/team',
  } as const;
  const world = alertWorld('tags', { channels: [PAGERDUTY, SLACK, team] });
  world.start();
  await world.raise({ ...CRITICAL, tags: { team: 'data', alert_channel: 'team-slack' } });
  await world.raise({ exchange: 'okx', code: 'DEFECT', asset: 'bronze_okx_ohlcv' });
  await world.pass(MINUTE_MS);
  expect(titles(world, 'team')).toEqual(['[CRITICAL] UNAUTHORIZED at binance: binance answered 401']);
  expect(titles(world, 'slack')).toEqual(['[WARNING] DEFECT at okx: 3 of 40 symbols failed']);
  expect(titles(world, 'pagerduty')).toHaveLength(1);
});

test('secrets in an alert are not stored, sent or logged', async () => {
  const world = alertWorld('secrets', { channels: [SLACK, EMAIL, WEBHOOK] });
  world.slack.plan(always({ kind: 'status', status: 404 }));
  world.start();
  await world.raise({
    level: 'error',
    summary: `posting to ${(SLACK as { url: string }).url} failed`,
    safe: 'key webhook-secret',
    tags: { note: 'GET /x?api_key=abc123456&symbol=BTC' },
  });
  await world.pass(10 * MINUTE_MS);
  const stored = await world.act(function* () {
    const rows: unknown[] = [];
    for (const table of ['alerts', 'alert_messages', 'alert_channels', 'alert_log'])
      rows.push(yield { sql: `select * from ${table}`, values: [] });
    return JSON.stringify(rows);
  });
  const everything = [
    stored,
    JSON.stringify(world.mail.received),
    JSON.stringify(world.webhook.received.map(({ message }) => message)),
    JSON.stringify(world.log.lines),
  ];
  expect(everything.every((text) => text.length > 10)).toBe(true);
  for (const text of everything) {
    for (const secret of ['/services/T0/B0/secret', 'webhook-secret', 'abc123456']) expect(text).not.toContain(secret);
  }
  expect(stored).toContain('symbol=BTC');
});

test('one digest a day about causes that began since the day before, and none without causes', async () => {
  const world = alertWorld('digest');
  const write = () =>
    world.act(() =>
      writeDigest({ ...world.dispatcher.policy, channels: world.dispatcher.channels }, world.clock.nowMs()),
    );
  await write();
  await world.raise();
  await world.resolve();
  await world.pass(10 * HOUR_MS);
  for (let time = 0; time < 3; time++) await write();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(titles(world, 'slack').filter((title) => title.startsWith('[INFO]'))).toEqual([
    '[INFO] The day until 2024-07-01T09:00Z: 1 alert, 0 of 1 causes still firing',
  ]);
  await world.pass(24 * HOUR_MS);
  await write();
  expect((await world.act(() => pendingMessages(10))).length).toBe(0);
});

test('a test message is delivered like every alert, immediately even to a channel that is down', async () => {
  const world = alertWorld('test message');
  world.slack.plan(always({ kind: 'status', status: 404 }));
  await world.raise();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  const request = { channel: 'slack', level: 'warning', nowMs: world.clock.nowMs() } as const;
  world.slack.plan(HEALTHY);
  const fingerprint = await world.act(() => enqueueTest(request, world.dispatcher.policy));
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(
    (await world.act(() => messagesOf(fingerprint, 10))).map(({ state, notification }) => [state, notification.title]),
  ).toEqual([
    ['sent', '[WARNING] Test of the channel slack'],
    ['sent', '[RESOLVED] Test of the channel slack'],
  ]);
  expect(titles(world, 'slack').slice(0, 2)).toEqual([
    '[WARNING] Test of the channel slack',
    '[RESOLVED] Test of the channel slack',
  ]);
});

test('a removed silence ends immediately', async () => {
  const world = alertWorld('taken back silence');
  const createdAtMs = world.clock.nowMs();
  await world.act(() =>
    addSilence({
      id: 'silence_1',
      exchange: 'binance',
      code: null,
      asset: null,
      author: 'Ada',
      reason: 'x',
      createdAtMs,
      expiresAtMs: createdAtMs + HOUR_MS,
    }),
  );
  await world.raise();
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(world.received()).toEqual([]);
  expect(await world.act(() => endSilence('silence_1', 'Ada', world.clock.nowMs()))).toBe(true);
  expect(await world.act(() => endSilence('silence_1', 'Ada', world.clock.nowMs()))).toBe(false);
  await world.clock.runUntil(drainAlerts(world.dispatcher, neverAborted()));
  expect(titles(world, 'slack')).toHaveLength(1);
});

test('an alert and its cause are stored together or not at all', async () => {
  const world = alertWorld('transaction');
  await expect(
    world.act(function* () {
      yield* raiseAlert(eventOf({}), { nowMs: 1, redact: (text) => text });
      throw new Error('the cause was not written');
    }),
  ).rejects.toThrow('the cause was not written');
  expect(await world.act(() => firingAlerts())).toEqual([]);
});
