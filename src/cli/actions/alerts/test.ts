import { LEVELS } from '../../../alerting/model/levels.ts';
import type { OutboxMessage } from '../../../alerting/outbox/outbox.ts';
import { nearest } from '../../../configuration/nearest.ts';
import { refuse } from '../../../configuration/setting-values.ts';
import { testChannels } from '../../../engine/maintenance/channel-test.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { table } from '../../output/console.ts';
import { SCHEMA } from '../../output/schema.ts';

interface TestOptions {
  readonly channel?: string;
  readonly level: string;
}

export const test: Action<TestOptions> = async (session, options) => {
  const configuration = await configure(session);
  const level =
    LEVELS.find((one) => one === options.level) ??
    refuse('--level', LEVELS.join(', '), options.level, nearest(options.level, LEVELS));
  const { pipeline, control } = await openSession(session, configuration);
  const channels = namesOf(
    pipeline.dispatcher.channels.map(({ name }) => name),
    options.channel ?? null,
  );
  const tests = await testChannels(pipeline, { channels, level }, control.signal);
  const exit = tests.every(({ isDelivered }) => isDelivered) ? EXIT.done : EXIT.undelivered;
  const items = tests.map(({ channel, kind, isDelivered, messages }) => ({
    channel,
    kind,
    delivered: isDelivered,
    messages: messages.map(messageDocument),
  }));
  return {
    exit,
    document: { schema: SCHEMA, ok: exit === EXIT.done, exit, items },
    text: () =>
      table(
        ['channel', 'kind', 'test', 'end', 'why not'],
        items.map(({ channel, kind, messages }) => [
          channel,
          kind,
          messages[0]?.state ?? '-',
          messages[1]?.state ?? '-',
          messages.find(({ error }) => error !== null)?.error ?? '-',
        ]),
      ),
  };
};

/** The channels to test: all, or the one named. @throws ConfigurationError (CONFIG_INVALID) if there is none. */
function namesOf(configured: readonly string[], only: string | null): readonly string[] {
  const names = configured.filter((name) => only === null || name === only);
  if (names.length > 0) return names;
  throw new ConfigurationError(
    only === null
      ? {
          where: 'alerts',
          expected:
            'a channel (SLACK_WEBHOOK_URL, PAGERDUTY_ROUTING_KEY, SMTP_URL, ALERT_WEBHOOK_URL or alerts.channels)',
          got: 'none',
        }
      : { where: '--channel', expected: configured.join(', ') || 'a configured channel', got: `"${only}"` },
  );
}

const messageDocument = ({ id, notification, state, attempts, lastError }: OutboxMessage) => ({
  id,
  kind: notification.kind,
  state,
  attempts,
  error: lastError,
});
