import type { NodemailerError } from 'nodemailer';
import type { MailPort } from '../ports/mail.ts';
import { MailError } from '../mail-error.ts';

/** Mail through an SMTP server: `smtp://user:password@host:587`, or `smtps://` for TLS from the first byte. */
export function smtpMail(url: string): MailPort {
  const options = { url, disableFileAccess: true, disableUrlAccess: true, socketCloseTimeout: 0 };
  const open = () => import('nodemailer').then(({ createTransport }) => createTransport(options));
  let transport: ReturnType<typeof open> | null = null;
  return {
    send: async ({ inReplyTo, to, messageId, ...mail }, signal) => {
      const thread = inReplyTo === null ? {} : { inReplyTo: `<${inReplyTo}>`, references: `<${inReplyTo}>` };
      try {
        const { rejected } = await (await (transport ??= open())).sendMail({
          ...mail,
          ...thread,
          to: [...to],
          messageId: `<${messageId}>`,
          signal,
        });
        if (rejected.length > 0) throw new MailError({ responseCode: 550, command: 'RCPT TO', code: 'EENVELOPE' });
      } catch (error) {
        signal.throwIfAborted();
        throw translated(error);
      }
    },
  };
}

function translated(error: unknown): unknown {
  if (!Error.isError(error) || !('code' in error) || typeof error.code !== 'string' || error instanceof MailError)
    return error;
  const { code, responseCode, command } = error as NodemailerError & { readonly code: string };
  return new MailError({ code, responseCode: responseCode ?? null, command: command ?? 'CONN' }, { cause: error });
}
