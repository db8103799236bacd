/** What a span or a reading is about: plain facts, never a secret, never a body. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A place below which spans are made: the program, or a span that is under way. */
export interface Trace {
  /** Does `work` in a span of its own. What `work` throws is told by the span and thrown on. */
  span<T>(name: string, facts: SpanAttributes, work: (span: Span) => Promise<T>): Promise<T>;
}

export interface Span extends Trace {
  /** Something that happened at this moment. */
  event(name: string, facts: SpanAttributes): void;
  /** What the work was for did not come of it, under a code of the fault table. */
  fail(code: string): void;
}

/** Something that is read whenever somebody collects. */
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

/** Where spans and metrics go besides log and store. Whatever happens there, the program goes on. */
export interface Telemetry {
  readonly trace: Trace;
  /** Has `read` called at each collection until the returned function is. */
  observe(instruments: readonly Instrument[], read: () => Promise<readonly Reading[]>): () => void;
}

const silentSpan: Span = {
  span: (_name, _facts, work) => work(silentSpan),
  event: () => undefined,
  fail: () => undefined,
};
export const silentTelemetry: Telemetry = { trace: silentSpan, observe: () => () => undefined };
