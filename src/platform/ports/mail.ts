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

export interface MailPort {
  /** Resolves once the server has taken the mail for every recipient. @throws MailError, or the signal's reason. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}
