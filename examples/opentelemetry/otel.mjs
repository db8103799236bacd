// Registers an OpenTelemetry SDK before Candlekeep starts: NODE_OPTIONS='--import ./otel.mjs' candlekeep start
// The exporters themselves read OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_BSP_SCHEDULE_DELAY
// and others.
import { metrics, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const resource = resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'candlekeep' });
const spans = new TracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter(),
  exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL ?? 60_000),
});
trace.setGlobalTracerProvider(spans);
metrics.setGlobalMeterProvider(new MeterProvider({ resource, readers: [reader] }));

// A command is over when it has nothing left to do: what it has not sent by then goes out now.
process.once(
  'beforeExit',
  () => void spans.shutdown().catch((error) => console.error(`spans were not sent: ${error.message}`)),
);
