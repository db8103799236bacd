/** Why a mail server did not accept a mail. `responseCode` is the server's (`451`); null without a response. */
export class MailError extends Error {
  override readonly name = 'MailError';
  readonly responseCode: number | null;
  /** The SMTP command that failed: `CONN`, `AUTH`, `RCPT TO`, `DATA`. */
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
