/** One request, before any policy. Only GET: exchanges are read, never written. */
export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A complete response: a truncated or stalled body is an error, never a short `body`. */
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Rejects with the transport's error (`ECONNRESET`, `UND_ERR_*`, ...) or with the signal's reason. Never retries:
 * retries are decided in `resilience/retry`.
 */
export interface HttpPort {
  get(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}
