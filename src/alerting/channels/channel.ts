import type { ChannelEntry } from '../model/routing.ts';
import type { Notification } from '../plan/notification.ts';

/** One message on its way out. */
export interface Dispatch {
  /** The same each time it is sent. */
  readonly id: string;
  /** The same for everything about one cause, from its first alert to its end, in every episode. At most 255 characters. */
  readonly dedupKey: string;
  readonly notification: Notification;
}

/** Where alerts go. How a notice looks there is decided purely; this is the wire. */
export interface Channel extends ChannelEntry {
  /** At least so long between two messages. Unit: milliseconds. */
  readonly paceMs: number;
  /** Several notices may go out as one. */
  readonly bundles: boolean;
  /** Resolves once the channel has taken the message. @throws AlertChannelError (ALERT_CHANNEL_BROKEN). */
  send(dispatch: Dispatch, signal: AbortSignal): Promise<void>;
}

/** For one send, connection included. Unit: milliseconds. */
export const SEND_MS_MAX = 10_000;
