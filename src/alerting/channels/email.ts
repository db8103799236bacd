import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Mail, MailPort } from '../../platform/ports/mail.ts';
import { MailError } from '../../platform/mail-error.ts';
import { AlertChannelError, type ChannelFailure } from '../../errors/errors.ts';
import { cut, fieldsOf } from '../plan/notification.ts';
import { SEND_MS_MAX, type Channel, type Dispatch } from './channel.ts';

export interface EmailTarget {
  readonly name: string;
  readonly isDefault: boolean;
  readonly from: string;
  readonly to: readonly string[];
}

/** RFC 5322 allows 998 bytes in a line; mail programs show about 100 characters of a subject. */
const SUBJECT_CHARS_MAX = 200;

/**
 * All mails about one cause form one thread. Each refers to an id under which no mail was ever sent, because the mail
 * that began the thread may have been lost.
 */
export function emailOf(
  { id, dedupKey, notification }: Dispatch,
  { from, to }: Pick<EmailTarget, 'from' | 'to'>,
): Mail {
  const domain = `${hashOf(notification.instance)}.candlekeep.invalid`;
  const fields = fieldsOf(notification);
  const width = Math.max(...fields.map(([name]) => name.length));
  const sections = [
    notification.text,
    notification.lines.join('\n'),
    fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n'),
  ];
  return {
    from,
    to,
    subject: cut(notification.title.replaceAll(/\s+/g, ' '), SUBJECT_CHARS_MAX),
    text: `${sections.filter((section) => section !== '').join('\n\n')}\n`,
    messageId: `${id}@${domain}`,
    inReplyTo: notification.kind === 'digest' ? null : `${hashOf(dedupKey)}@${domain}`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Candlekeep-Level': notification.level },
  };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

export function emailChannel(
  { clock, mail }: { readonly clock: Clock; readonly mail: MailPort },
  target: EmailTarget,
): Channel {
  const { name, isDefault } = target;
  const timeoutError = (): Error => failed(name, 'transient', `no response within ${SEND_MS_MAX / 1_000} s`);
  return {
    name,
    isDefault,
    kind: 'email',
    paceMs: 0,
    bundles: true,
    send: async (dispatch, outer) => {
      try {
        await withTimeLimit(clock, { limitMs: SEND_MS_MAX, timeoutError, outer }, (signal) =>
          mail.send(emailOf(dispatch, target), signal),
        );
      } catch (error) {
        outer.throwIfAborted();
        if (!(error instanceof MailError)) throw error;
        throw failed(name, failureOf(error), `the mail server refused: ${error.message}`, error);
      }
    },
  };
}

const failed = (channel: string, failure: ChannelFailure, why: string, cause?: MailError): AlertChannelError =>
  new AlertChannelError(
    `${channel}: ${why}`,
    { channel, failure, status: cause?.responseCode ?? null, retryAfterMs: null },
    { cause },
  );

/**
 * 4yz is transient (greylisting), 5yz is permanent: at DATA for this mail, before DATA for the account or the
 * recipients. Source: RFC 5321, section 4.2.1.
 */
function failureOf({ responseCode, command }: MailError): ChannelFailure {
  if (responseCode === null || responseCode < 500) return 'transient';
  return command === 'DATA' ? 'refused' : 'permanent';
}
