import { createRequire } from 'node:module';
import type * as openTelemetryApi from '@opentelemetry/api';
import type { BatchObservableCallback, Context, Meter, Span as ApiSpan } from '@opentelemetry/api';
import type { Clock } from '../ports/clock.ts';
import { redacted } from '../redaction.ts';
import type { Redact } from '../ports/redact.ts';
import type { SpanAttributes, Instrument, Span, Telemetry } from '../ports/telemetry.ts';

/** Name of the tracer and the meter. */
const SCOPE = 'candlekeep';

type Api = typeof openTelemetryApi;
let loaded: Api | null = null;
/** Loaded with the first span, in a call that cannot wait for `import()`: most commands have none. */
const api = (): Api => (loaded ??= createRequire(import.meta.url)('@opentelemetry/api') as Api);

export interface TelemetryOptions {
  readonly clock: Clock;
  /** Applied to every exported value. */
  readonly redact: Redact;
  /** The code of an error; null for a cancellation. */
  readonly codeOf: (error: unknown) => string | null;
}

/** Spans and metrics through OpenTelemetry's API, which does nothing until the process registers an SDK. */
export const openTelemetry = (options: TelemetryOptions): Telemetry => ({
  trace: { span: (name, facts, work) => within(options, { name, facts, outer: api().context.active() }, work) },
  observe: (instruments, read) => {
    const meter = api().metrics.getMeter(SCOPE);
    const made = new Map(instruments.map((one) => [one.name, observable(meter, one)]));
    const report: BatchObservableCallback = async (result) => {
      for (const { name, labels, value } of await read()) {
        const instrument = made.get(name);
        if (instrument !== undefined) result.observe(instrument, value, redacted(labels, options.redact));
      }
    };
    meter.addBatchObservableCallback(report, [...made.values()]);
    return () => meter.removeBatchObservableCallback(report, [...made.values()]);
  },
});

const observable = (meter: Meter, { name, kind, help }: Instrument): ReturnType<typeof meter.createObservableGauge> =>
  kind === 'counter'
    ? meter.createObservableCounter(name, { description: help })
    : meter.createObservableGauge(name, { description: help });

interface Opening {
  readonly name: string;
  readonly facts: SpanAttributes;
  /** Context of the parent span, if any. */
  readonly outer: Context;
}

async function within<T>(
  options: TelemetryOptions,
  { name, facts, outer }: Opening,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { clock, redact, codeOf } = options;
  const { context, trace } = api();
  const own = trace
    .getTracer(SCOPE)
    .startSpan(name, { attributes: attributesOf(facts, redact), startTime: now(clock) }, outer);
  const inner = trace.setSpan(outer, own);
  try {
    return await context.with(inner, () => work(spanOn(options, own, inner)));
  } catch (error) {
    const code = codeOf(error);
    if (code !== null) failed(own, code);
    throw error;
  } finally {
    own.end(now(clock));
  }
}

const spanOn = (options: TelemetryOptions, own: ApiSpan, inner: Context): Span => ({
  span: (name, facts, work) => within(options, { name, facts, outer: inner }, work),
  event: (name, facts) => void own.addEvent(name, attributesOf(facts, options.redact), now(options.clock)),
  fail: (code) => failed(own, code),
});

/** `error.type` is OpenTelemetry's attribute for an error code. */
function failed(span: ApiSpan, code: string): void {
  span.setAttribute('error.type', code);
  span.setStatus({ code: api().SpanStatusCode.ERROR, message: code });
}

/** A Date, because the SDK reads a number before the start of the process as a time of its own clock. */
const now = (clock: Clock): Date => new Date(clock.nowMs());

/** Attributes of spans have a prefix; labels of metrics are the same as on the metrics page. */
const attributesOf = (facts: SpanAttributes, redact: Redact): SpanAttributes =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      `${SCOPE}.${name}`,
      typeof value === 'string' ? redact(value) : value,
    ]),
  );
