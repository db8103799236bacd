import type { ChannelHealth } from '../../alerting/outbox/channel-health.ts';
import { allHealth } from '../../alerting/outbox/channel-records.ts';
import { pendingMessages, type OutboxMessage } from '../../alerting/outbox/outbox.ts';
import type { Pipeline } from '../core/pipeline.ts';

const MESSAGES_MAX = 1_000;

export interface OutboxChannel {
  readonly name: string;
  readonly kind: string;
  readonly isDefault: boolean;
  /** Null for a channel that has never been used. */
  readonly health: ChannelHealth | null;
}

/** Every configured channel, and the pending messages, 1000 at most. */
export async function outboxReport({ ports, dispatcher }: Pick<Pipeline, 'ports' | 'dispatcher'>): Promise<{
  readonly messages: readonly OutboxMessage[];
  readonly channels: readonly OutboxChannel[];
}> {
  const { messages, healths } = await ports.store.read(function* outbox() {
    return { messages: yield* pendingMessages(MESSAGES_MAX), healths: yield* allHealth() };
  });
  const channels = dispatcher.channels.map(({ name, kind, isDefault }) => ({
    name,
    kind,
    isDefault,
    health: healths.get(name) ?? null,
  }));
  return { messages, channels };
}
