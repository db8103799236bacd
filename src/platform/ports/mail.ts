/** One e-mail in plain text. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Without angle brackets; unchanged when the mail is sent again. */
  readonly messageId: string;
  /** The message that this one replies to; it need not exist. */
  readonly inReplyTo: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface MailPort {
  /** Resolves once the server has accepted the mail for every recipient. @throws MailError, or the signal's reason. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}
