import type { Command } from 'commander';
import { acknowledgeAlert, firingAlerts, openAlerts } from '../../../alerting/model/alerts.ts';
import { auditTrail } from '../../../alerting/model/audit.ts';
import { allHealth } from '../../../alerting/outbox/channel-records.ts';
import { drainAlerts } from '../../../alerting/outbox/delivery.ts';
import { LEVELS } from '../../../alerting/model/levels.ts';
import { messagesOf, pendingMessages, type OutboxMessage } from '../../../alerting/outbox/outbox.ts';
import {
  addSilence,
  endSilence,
  SILENCE_MS_MAX,
  silences,
  silencesInForce,
  type Silence,
} from '../../../alerting/model/silences.ts';
import { enqueueTest } from '../../../alerting/outbox/test-message.ts';
import type { Alert } from '../../../alerting/model/alert.ts';
import { isRuleCode, RULE_CODES } from '../../../metrics/rules.ts';
import { FAULT_CODES, isFaultCode, type AlertLevel } from '../../../errors/table.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { count, table } from '../../output/console.ts';
import { isoTime, listDocument, SCHEMA } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import { nearest } from '../../../configuration/nearest.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline, type OpenSession } from '../../session.ts';
import { readAssetNames, readDuration, readExchange, readText, refuse } from '../../../configuration/setting-values.ts';

const ROWS_MAX = 1_000;

export function addAlertCommands(program: Command, run: CommandRunner): void {
  const alerts = program
    .command('alerts')
    .description('What is wrong now, who was told, and what still has to be told')
    .addHelpText('after', examples(['candlekeep alerts list', 'candlekeep alerts test', 'candlekeep alerts outbox']));

  run(
    alerts
      .command('list')
      .description('Causes that fire, worst first, and the silences in force')
      .option('--all', 'those that ended, too')
      .option('--history', 'what was done about alerts, and by whom, newest first, instead')
      .addHelpText(
        'after',
        examples([
          'candlekeep alerts list',
          'candlekeep alerts list --json | jq .items',
          'candlekeep alerts list --history',
        ]),
      ),
    async (session, options: { readonly all?: boolean; readonly history?: boolean }) =>
      withPipeline(session, await configure(session), (open) =>
        options.history ? showHistory(open) : showAlerts(open, options),
      ),
  );

  run(
    alerts
      .command('test')
      .description('Send a labelled test and its end through every channel; exit 8 when one does not deliver')
      .option('--channel <name>', 'only this channel')
      .option('--level <level>', LEVELS.join(', '), 'warning')
      .addHelpText(
        'after',
        examples(['candlekeep alerts test', 'candlekeep alerts test --channel slack --level critical']),
      ),
    async (session, options: { readonly channel?: string; readonly level: string }) => {
      const configuration = await configure(session);
      const level =
        LEVELS.find((one) => one === options.level) ??
        refuse('--level', LEVELS.join(', '), options.level, nearest(options.level, LEVELS));
      return withPipeline(session, configuration, (open) =>
        testChannels(open, { level, channel: options.channel ?? null }),
      );
    },
  );

  run(
    alerts
      .command('ack <fingerprint>')
      .description('Say that somebody is on it: it is not repeated, and pagers stop calling')
      .addHelpText('after', examples(['candlekeep alerts ack binance/CONNECTION_FAILED/bronze_binance_ohlcv'])),
    async (session, _options, [fingerprint = '']) =>
      withPipeline(session, await configure(session), async (open) => {
        const isFiring = await open.pipeline.ports.store.transact('acknowledgeAlert', () =>
          acknowledgeAlert(fingerprint, whoIs(open), open.clock.nowMs()),
        );
        if (!isFiring)
          throw new ConfigurationError({
            where: '<fingerprint>',
            expected: 'an alert that fires (candlekeep alerts list)',
            got: `"${fingerprint}"`,
          });
        return done(open, { fingerprint, acked_by: whoIs(open) }, `${fingerprint} is acknowledged`);
      }),
  );

  run(
    alerts
      .command('silence')
      .description('Tell nobody about a cause for a while; the alert is still kept and listed')
      .option('--exchange <name>', 'alerts of this exchange')
      .option('--code <code>', 'alerts under this code')
      .option('--asset <name>', 'alerts of this asset')
      .option('--for <duration>', 'how long, at most 720h: 30m, 8h')
      .option('--reason <text>', 'why, for whoever reads the list later')
      .option('--end <silence>', 'end this silence now, instead')
      .addHelpText(
        'after',
        examples([
          'candlekeep alerts silence --exchange okx --for 4h --reason "announced maintenance"',
          'candlekeep alerts silence --end silence_0lx2k3j4h5g6f7',
        ]),
      ),
    async (session, options: SilenceOptions) => {
      const configuration = await configure(session);
      const wish = options.end === undefined ? wishOf(options) : null;
      return withPipeline(session, configuration, (open) =>
        wish === null ? endOf(open, options.end ?? '') : silence(open, wish),
      );
    },
  );

  run(
    alerts
      .command('outbox')
      .description('Messages that wait, and how each channel does')
      .addHelpText('after', examples(['candlekeep alerts outbox', 'candlekeep alerts outbox --json'])),
    async (session) => withPipeline(session, await configure(session), showOutbox),
  );
}

const whoIs = ({ io }: Pick<OpenSession, 'io'>): string => io.env['USER'] || 'unknown';

function done({ screen }: OpenSession, fields: object, text: string): ExitCode {
  if (screen.isJson) screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, ...fields });
  else screen.data(text);
  return EXIT.done;
}

async function showAlerts(
  { pipeline, screen, clock }: OpenSession,
  { all }: { readonly all?: boolean },
): Promise<ExitCode> {
  const { alerts, inForce } = await pipeline.ports.store.read('alerts', function* () {
    return { alerts: yield* all ? openAlerts(0) : firingAlerts(), inForce: yield* silencesInForce(clock.nowMs()) };
  });
  const items = alerts.toSorted(
    (a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level) || a.firedAtMs - b.firedAtMs,
  );
  const silenceOf = (alert: Alert): Silence | undefined => inForce.find((one) => silences(one, alert));
  if (screen.isJson) {
    screen.document({
      ...listDocument(items.map((alert) => alertDocument(alert, silenceOf(alert)))),
      silences: inForce.map(silenceDocument),
    });
    return EXIT.done;
  }
  if (items.length === 0) screen.data('nothing fires');
  for (const alert of items) {
    const state =
      alert.resolvedAtMs !== null
        ? `ended ${isoTime(alert.resolvedAtMs)}`
        : alert.ackedBy !== null
          ? `acknowledged by ${alert.ackedBy}`
          : silenceOf(alert) === undefined
            ? ''
            : 'silenced';
    screen.data(
      `${screen.colour(colourOf(alert), `[${alert.resolvedAtMs === null ? alert.level.toUpperCase() : 'RESOLVED'}]`)} ${alert.fingerprint}  since ${isoTime(alert.firedAtMs)}${state === '' ? '' : `, ${state}`}\n  ${alert.facts.summary}\n  safe  ${alert.facts.safe}\n  next  ${alert.resolvedAtMs === null ? alert.facts.next : 'nothing is left to do'}\n  run   ${alert.facts.command}`,
    );
  }
  for (const one of inForce)
    screen.data(
      `silence ${one.id} until ${isoTime(one.expiresAtMs)}: ${[one.exchange, one.code, one.asset].filter((part) => part !== null).join(', ')} (${one.author}: ${one.reason})`,
    );
  return EXIT.done;
}

const colourOf = ({ resolvedAtMs, level }: Alert): 'green' | 'red' | 'yellow' =>
  resolvedAtMs !== null ? 'green' : level === 'critical' || level === 'error' ? 'red' : 'yellow';

const alertDocument = (
  { fingerprint, exchange, code, asset, level, episode, facts, ...alert }: Alert,
  silenced: Silence | undefined,
): object => ({
  fingerprint,
  exchange,
  code,
  asset,
  level,
  episode,
  ...facts,
  run_id: facts.runId,
  fired_at: isoTime(alert.firedAtMs),
  seen_at: isoTime(alert.seenAtMs),
  resolved_at: isoTime(alert.resolvedAtMs),
  resolution: alert.resolution,
  acked_by: alert.ackedBy,
  silence: silenced?.id ?? null,
});

const silenceDocument = ({ createdAtMs, expiresAtMs, ...silence }: Silence): object => ({
  ...silence,
  created_at: isoTime(createdAtMs),
  expires_at: isoTime(expiresAtMs),
});

async function showHistory({ pipeline, screen }: OpenSession): Promise<ExitCode> {
  const entries = await pipeline.ports.store.read('auditTrail', () => auditTrail(ROWS_MAX));
  if (screen.isJson)
    screen.document(listDocument(entries.map(({ atMs, ...entry }) => ({ at: isoTime(atMs), ...entry }))));
  else
    screen.data(
      table(
        ['at', 'action', 'by', 'alert', 'detail'],
        entries.map((entry) => [
          isoTime(entry.atMs) ?? '',
          entry.action,
          entry.actor,
          entry.fingerprint ?? '-',
          entry.detail,
        ]),
      ),
    );
  return EXIT.done;
}

interface TestWish {
  readonly level: AlertLevel;
  readonly channel: string | null;
}

/** The test takes the way of every alert: through the outbox, with its pace, its limits and its waits. */
async function testChannels(
  { pipeline, screen, control, clock }: OpenSession,
  { level, channel }: TestWish,
): Promise<ExitCode> {
  const { dispatcher } = pipeline;
  const { store } = dispatcher.ports;
  const names = dispatcher.channels.map(({ name }) => name).filter((name) => channel === null || name === channel);
  if (names.length === 0)
    throw new ConfigurationError(
      channel === null
        ? {
            where: 'alerts',
            expected:
              'a channel (SLACK_WEBHOOK_URL, PAGERDUTY_ROUTING_KEY, SMTP_URL, ALERT_WEBHOOK_URL or alerts.channels)',
            got: 'none',
          }
        : {
            where: '--channel',
            expected: dispatcher.channels.map(({ name }) => name).join(', ') || 'a configured channel',
            got: `"${channel}"`,
          },
    );
  const fingerprints = await store.transact('enqueueTest', function* () {
    const made: string[] = [];
    for (const name of names)
      made.push(yield* enqueueTest({ channel: name, level, nowMs: clock.nowMs() }, dispatcher.policy));
    return made;
  });
  await drainAlerts(dispatcher, control.signal);
  const items = [];
  for (const [at, name] of names.entries()) {
    const messages = await store.read('messagesOf', () => messagesOf(fingerprints[at] ?? '', ROWS_MAX));
    items.push({
      channel: name,
      kind: dispatcher.channels.find((one) => one.name === name)?.kind ?? '',
      delivered: messages.every(({ state }) => state === 'sent'),
      messages: messages.map(testedMessage),
    });
  }
  const exit = items.every(({ delivered }) => delivered) ? EXIT.done : EXIT.undelivered;
  if (screen.isJson) screen.document({ schema: SCHEMA, ok: exit === EXIT.done, exit, items });
  else
    screen.data(
      table(
        ['channel', 'kind', 'test', 'end', 'why not'],
        items.map(({ channel: name, kind, messages }) => [
          name,
          kind,
          messages[0]?.state ?? '-',
          messages[1]?.state ?? '-',
          messages.find(({ error }) => error !== null)?.error ?? '-',
        ]),
      ),
    );
  return exit;
}

const testedMessage = ({ id, notification: notice, state, attempts, lastError }: OutboxMessage) => ({
  id,
  kind: notice.kind,
  state,
  attempts,
  error: lastError,
});

interface SilenceOptions {
  readonly exchange?: string;
  readonly code?: string;
  readonly asset?: string;
  readonly for?: string;
  readonly reason?: string;
  readonly end?: string;
}

type SilenceWish = Pick<Silence, 'exchange' | 'code' | 'asset' | 'reason'> & { readonly spanMs: number };

/** @throws ConfigurationError (CONFIG_INVALID) for one that matches everything or has no end. */
function wishOf({ exchange, code, asset, reason, ...options }: SilenceOptions): SilenceWish {
  if (exchange === undefined && code === undefined && asset === undefined)
    throw new ConfigurationError({
      where: 'candlekeep alerts silence',
      expected: '--exchange, --code or --asset',
      got: 'none: a silence of everything would hide what nobody has seen',
    });
  if (code !== undefined && !isFaultCode(code) && !isRuleCode(code))
    refuse(
      '--code',
      'a fault code or a rule (candlekeep policies)',
      code,
      nearest(code, [...FAULT_CODES, ...RULE_CODES]),
    );
  const spanMs = readDuration(options.for, '--for');
  if (spanMs > SILENCE_MS_MAX)
    refuse('--for', `at most ${SILENCE_MS_MAX / 3_600_000}h: what is silent for longer gets forgotten`, options.for);
  return {
    exchange: exchange === undefined ? null : readExchange(exchange, '--exchange'),
    code: code ?? null,
    asset: asset === undefined ? null : (readAssetNames(asset, '--asset')[0] ?? null),
    reason: readText(reason, '--reason'),
    spanMs,
  };
}

async function silence(open: OpenSession, { spanMs, ...wish }: SilenceWish): Promise<ExitCode> {
  const { store, clock, ids } = open.pipeline.ports;
  const made: Silence = {
    ...wish,
    id: ids.next('silence'),
    author: whoIs(open),
    createdAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + spanMs,
  };
  await store.transact('addSilence', () => addSilence(made));
  return done(
    open,
    silenceDocument(made),
    `${made.id}: silent until ${isoTime(made.expiresAtMs)}; to end it before: candlekeep alerts silence --end ${made.id}`,
  );
}

async function endOf(open: OpenSession, id: string): Promise<ExitCode> {
  const isInForce = await open.pipeline.ports.store.transact('endSilence', () =>
    endSilence(id, whoIs(open), open.clock.nowMs()),
  );
  if (!isInForce)
    throw new ConfigurationError({
      where: '--end',
      expected: 'a silence in force (candlekeep alerts list)',
      got: `"${id}"`,
    });
  return done(open, { id }, `${id} is over`);
}

async function showOutbox({ pipeline, screen, clock }: OpenSession): Promise<ExitCode> {
  const { messages, healths } = await pipeline.ports.store.read('outbox', function* () {
    return { messages: yield* pendingMessages(ROWS_MAX), healths: yield* allHealth() };
  });
  const channels = pipeline.dispatcher.channels.map(({ name, kind, isDefault }) => ({
    name,
    kind,
    isDefault,
    health: healths.get(name) ?? null,
  }));
  if (screen.isJson) {
    screen.document({
      ...listDocument(
        messages.map(({ id, channel, fingerprint, level, notification: notice, attempts, createdAtMs, lastError }) => ({
          id,
          channel,
          fingerprint,
          level,
          kind: notice.kind,
          title: notice.title,
          attempts,
          created_at: isoTime(createdAtMs),
          error: lastError,
        })),
      ),
      channels: channels.map(({ name, kind, isDefault, health }) => ({
        name,
        kind,
        default: isDefault,
        state: health?.downSinceMs ? 'down' : 'up',
        down_since: isoTime(health?.downSinceMs ?? null),
        last_sent_at: isoTime(health?.lastSentAtMs ?? null),
        error: health?.lastError ?? null,
      })),
    });
    return EXIT.done;
  }
  screen.data(
    channels.length === 0
      ? 'no channel is configured: alerts are kept and nobody is told'
      : table(
          ['channel', 'kind', 'state', 'last sent', 'error'],
          channels.map(({ name, kind, health }) => [
            name,
            kind,
            health?.downSinceMs ? `down since ${isoTime(health.downSinceMs)}` : 'up',
            isoTime(health?.lastSentAtMs ?? null) ?? 'never',
            health?.lastError ?? '-',
          ]),
        ),
  );
  screen.data(
    messages.length === 0
      ? 'nothing waits'
      : `\n${count(messages.length, 'message')} waiting\n${table(
          ['channel', 'waits', 'tries', 'title', 'error'],
          messages.map(({ channel, createdAtMs, attempts, notification: notice, lastError }) => [
            channel,
            `${Math.round((clock.nowMs() - createdAtMs) / 1_000)} s`,
            attempts,
            notice.title,
            lastError ?? '-',
          ]),
        )}`,
  );
  return EXIT.done;
}
