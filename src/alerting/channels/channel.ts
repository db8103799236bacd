import type { ChannelEntry } from '../model/routing.ts';
import type { Notification } from '../plan/notification.ts';

/** One message on its way out. */
export interface Dispatch {
  /** Unchanged when the message is sent again. */
  readonly id: string;
  /** One key for a cause, in every episode, for its beginning and its end. At most 255 characters. */
  readonly dedupKey: string;
  readonly notification: Notification;
}

/** Sends notifications to one receiver. A pure function decides how a notification looks there. */
export interface Channel extends ChannelEntry {
  /** Least time between two messages. Unit: milliseconds. */
  readonly paceMs: number;
  /** True where several notifications may be sent as one. */
  readonly bundles: boolean;
  /** Resolves once the channel has taken the message. @throws AlertChannelError (ALERT_CHANNEL_BROKEN). */
  send(dispatch: Dispatch, signal: AbortSignal): Promise<void>;
}

/** Time limit of one send, connection included. Unit: milliseconds. */
export const SEND_MS_MAX = 10_000;
