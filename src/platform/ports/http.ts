/** One request, before any policy. Only GET: exchanges are read, never written. */
export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole answer: a cut or stalled body is an error, never a short `body`. */
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The wire. Rejects with what the transport says (`ECONNRESET`, `UND_ERR_*`, ...) or with the
 * signal's reason. Never retries: retrying is decided in one place, `faults/policy`.
 */
export interface HttpPort {
  get(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}
