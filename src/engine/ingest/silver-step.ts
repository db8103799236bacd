import { periodOf, type Day, type Period } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { SILVER_ASSET } from '../../domain/assets.ts';
import type { BronzeResult } from '../../lake/bronze/asset.ts';
import { materialiseSilver, type SilverReport } from '../../lake/silver/asset.ts';
import type { SymbolScope } from '../../lake/silver/silver-context.ts';
import { responseReader } from '../../lake/silver/response-reader.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { venueOf } from '../core/exchanges.ts';
import type { SeriesPlan } from '../plan/work-plan.ts';
import type { IngestContext } from './ingest-context.ts';

/** Writes the silver files of one exchange in one run, each once. */
export interface SilverStep {
  readonly reports: readonly SilverReport[];
  /** Waits until earlier runs have ended, then writes periods as they settle. @throws the signal's reason. */
  writeSettled(periods: AsyncIterable<Period>): Promise<void>;
  /** Writes those of `periods` that are not written yet; earlier runs have ended. @throws the signal's reason. */
  writeRest(periods: readonly Period[], bronze: Pick<BronzeResult, 'failed' | 'neverListed'>): Promise<void>;
}

const ALL_ANSWERED = { failed: new Map(), neverListed: new Set<MarketSymbol>() } as const;

export function silverStep(
  { ports, lake, venues, settings }: Pipeline,
  { run, exchange, fence, trace, slot, signal, onProgress }: IngestContext,
  plans: readonly SeriesPlan[],
): SilverStep {
  const { interval } = run;
  const context = {
    ports,
    lake,
    responses: responseReader(ports, lake, venueOf(venues, exchange).adapter),
    fence,
    recheckAfterMs: settings.recheckAfterMs,
    trigger: run.trigger,
  };
  const reports: SilverReport[] = [];
  const written = new Set<Period>();

  const write = async (period: Period, bronze: Pick<BronzeResult, 'failed' | 'neverListed'>): Promise<void> => {
    const scopes = plans
      .filter(({ series }) => !bronze.neverListed.has(series.symbol))
      .flatMap((plan) => scopeIn(plan, period, bronze.failed));
    if (scopes.length === 0) return;
    signal.throwIfAborted();
    onProgress({ type: 'step', runId: run.id, asset: 'silver', detail: `${exchange} ${interval} ${period}` });
    written.add(period);
    const facts = { run: run.id, asset: SILVER_ASSET, exchange, interval, period };
    reports.push(
      await trace.span(SILVER_ASSET, facts, () => materialiseSilver(context, { exchange, interval, period }, scopes)),
    );
  };
  return {
    reports,
    writeSettled: async (periods) => {
      await slot.mayWrite();
      for await (const period of periods) await write(period, ALL_ANSWERED);
    },
    writeRest: async (periods, bronze) => {
      for (const period of periods) if (!written.has(period)) await write(period, bronze);
    },
  };
}

function scopeIn(
  { series, days, requestedDays, openDays }: SeriesPlan,
  period: Period,
  failed: BronzeResult['failed'],
): SymbolScope[] {
  const isInside = (day: Day): boolean => periodOf(day, series.interval) === period;
  const scope = {
    symbol: series.symbol,
    days: days.filter(isInside),
    requestedDays,
    openDays: openDays.filter(isInside),
    failed: failed.get(series.symbol) ?? [],
  };
  return scope.days.length + scope.openDays.length === 0 ? [] : [scope];
}
