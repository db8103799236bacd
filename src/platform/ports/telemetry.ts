/** Facts about a span: never a secret or a body. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A parent of spans: the program, or an open span. */
export interface Trace {
  /** Runs `work` in a new span. An error of `work` is recorded in the span and rethrown. */
  span<T>(name: string, facts: SpanAttributes, work: (span: Span) => Promise<T>): Promise<T>;
}

export interface Span extends Trace {
  /** Records an event at the current time. */
  event(name: string, facts: SpanAttributes): void;
  /** Marks the span as failed with a code of the fault table. */
  fail(code: string): void;
}

/** A metric that is read at each collection. */
export interface Instrument {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
}

export interface Reading {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Export of spans and metrics. Its failures never stop the program. */
export interface Telemetry {
  readonly trace: Trace;
  /** Calls `read` at each collection until the returned function is called. */
  observe(instruments: readonly Instrument[], read: () => Promise<readonly Reading[]>): () => void;
}

const silentSpan: Span = {
  span: (_name, _facts, work) => work(silentSpan),
  event: () => undefined,
  fail: () => undefined,
};
export const silentTelemetry: Telemetry = { trace: silentSpan, observe: () => () => undefined };
