/** What a handler gets of a request. Bodies are not read: this server only serves reads. */
export interface ServedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface ServedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ServedAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface HttpServer {
  /** `http://127.0.0.1:4680`. */
  readonly url: string;
  close(): Promise<void>;
}

/** A handler that fails gives a 500 without details; `onError` gets the error. */
export interface HttpService {
  readonly handle: (request: ServedRequest) => Promise<ServedResponse>;
  readonly onError: (error: unknown) => void;
}
