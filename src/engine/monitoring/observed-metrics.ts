import { INSTRUMENTS, readingsOf } from '../../metrics/instruments.ts';
import type { Reading } from '../../platform/ports/telemetry.ts';
import { metricsNow } from './metrics-page.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { WatchedMarkets } from './watched-markets.ts';

/** Offers every metric to OpenTelemetry until the returned function is called. */
export function observeMetrics(pipeline: Pipeline, watched: WatchedMarkets): () => void {
  const { telemetry, log } = pipeline.ports;
  const read = async (): Promise<readonly Reading[]> => {
    try {
      return readingsOf(await metricsNow(pipeline, await watched()));
    } catch (error) {
      const message = Error.isError(error) ? error.message : String(error);
      log.error(`metrics could not be read for OpenTelemetry: ${pipeline.dispatcher.redact(message)}`);
      return [];
    }
  };
  return telemetry.observe(INSTRUMENTS, read);
}
