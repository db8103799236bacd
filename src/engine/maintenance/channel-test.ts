import { drainAlerts } from '../../alerting/outbox/delivery.ts';
import { messagesOf, type OutboxMessage } from '../../alerting/outbox/outbox.ts';
import { enqueueTest } from '../../alerting/outbox/test-message.ts';
import type { AlertLevel } from '../../errors/table.ts';
import type { Pipeline } from '../core/pipeline.ts';

const MESSAGES_MAX = 1_000;

export interface ChannelTest {
  readonly channel: string;
  readonly kind: string;
  readonly isDelivered: boolean;
  /** The test alert and its end. */
  readonly messages: readonly OutboxMessage[];
}

/** Sends a test alert and its end to each channel through the outbox, with the pace and retries of every alert. */
export async function testChannels(
  { dispatcher }: Pick<Pipeline, 'dispatcher'>,
  { channels, level }: { readonly channels: readonly string[]; readonly level: AlertLevel },
  signal: AbortSignal,
): Promise<readonly ChannelTest[]> {
  const { store, clock } = dispatcher.ports;
  const nowMs = clock.nowMs();
  const fingerprints = await store.transact(function* enqueueTestAlert() {
    const made: string[] = [];
    for (const channel of channels) made.push(yield* enqueueTest({ channel, level, nowMs }, dispatcher.policy));
    return made;
  });
  await drainAlerts(dispatcher, signal);
  const tests: ChannelTest[] = [];
  for (const [at, channel] of channels.entries()) {
    const messages = await store.read(messagesOf, fingerprints[at] ?? '', MESSAGES_MAX);
    tests.push({
      channel,
      kind: dispatcher.channels.find((one) => one.name === channel)?.kind ?? '',
      isDelivered: messages.every(({ state }) => state === 'sent'),
      messages,
    });
  }
  return tests;
}
