import { bronzeAsset } from '../../domain/assets.ts';
import { materialiseBronze, type BronzeResult, type SeriesWork } from '../../lake/bronze/asset.ts';
import { bronzeWriter } from '../../lake/bronze/writer.ts';
import type { PageObserver } from '../../lake/bronze/exchange-query.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { venueOf } from '../core/exchanges.ts';
import type { IngestContext } from './ingest-context.ts';
import type { PageProgress } from './page-progress.ts';

interface BronzeWork {
  readonly work: readonly SeriesWork[];
  readonly progress: PageProgress;
}

/** Fetches the planned pages of one exchange, in a span of their own. */
export function fetchPages(
  { ports, lake, venues }: Pipeline,
  ingest: IngestContext,
  { work, progress }: BronzeWork,
): Promise<BronzeResult> {
  const { run, exchange, fence, slot } = ingest;
  const { interval, partition, partitionEnd } = run;
  const days = { start: partition, end: partitionEnd };
  ingest.onProgress({
    type: 'run',
    runId: run.id,
    exchange,
    interval,
    days,
    ...slot.position,
    pages: progress.pagesTotal,
  });
  const venue = venueOf(venues, exchange);
  const asset = bronzeAsset(exchange);
  return ingest.trace.span(asset, { run: run.id, asset, exchange, interval }, async (trace) => {
    const context = {
      ports,
      ...venue,
      limiter: venue.policies.limiter,
      writer: bronzeWriter(ports, lake, fence),
      runId: run.id,
      signal: ingest.signal,
      trace,
      pages: reported(progress, ingest),
    };
    const result = await materialiseBronze(context, work);
    if (result.report.outcome === 'failed')
      trace.fail(result.endedBy?.code ?? result.faults[0]?.code ?? 'SYMBOLS_FAILED');
    return result;
  });
}

/** Counts pages and reports each that ends to the caller of the command. */
const reported = (
  progress: PageProgress,
  { run, onProgress }: Pick<IngestContext, 'run' | 'onProgress'>,
): PageObserver => ({
  begun: progress.begun,
  ended: (page, as) => {
    progress.ended(page, as);
    const { exchange, symbol } = page.series;
    onProgress({
      type: 'page',
      runId: run.id,
      exchange,
      symbol,
      pagesDone: progress.pagesEnded(),
      pages: progress.pagesTotal,
    });
  },
});
