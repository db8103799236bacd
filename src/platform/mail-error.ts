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
