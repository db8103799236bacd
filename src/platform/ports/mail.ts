/** One e-mail in plain text. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Without angle brackets; the same each time the mail is sent. */
  readonly messageId: string;
  /** The message this one belongs to; it need not exist. */
  readonly inReplyTo: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why a mail server did not take a mail. `responseCode` is the server's (`451`), null when there was none. */
export class MailError extends Error {
  override readonly name = 'MailError';
  readonly responseCode: number | null;
  /** The SMTP command it failed at: `CONN`, `AUTH`, `RCPT TO`, `DATA`. */
  readonly command: string;

  constructor(
    facts: { readonly responseCode: number | null; readonly command: string; readonly code: string },
    options?: ErrorOptions,
  ) {
    super(`${facts.code} at ${facts.command}${facts.responseCode === null ? '' : ` (${facts.responseCode})`}`, options);
    this.responseCode = facts.responseCode;
    this.command = facts.command;
  }
}

export interface MailPort {
  /** Resolves once the server has taken the mail for every recipient. @throws MailError, or the signal's reason. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}
