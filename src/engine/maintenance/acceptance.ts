import { dayOf } from '../../domain/partition.ts';
import { candlesIn, intersectRanges } from '../../domain/range.ts';
import { recordAcceptance } from '../../state/verdicts.ts';
import { materialise } from '../runs/materialise.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf, type AccountQuery } from '../core/range-account.ts';
import type { Control } from '../core/work.ts';

/** A person's decision to stop requesting these holes. */
export interface AcceptanceRequest extends AccountQuery {
  readonly reason: string;
  readonly by: string;
}

/**
 * Accepts every hole of the range that responses cover and no rule explains, and classifies the days again. Candles
 * missing because of a fault are still requested. Returns the number of accepted candles.
 */
export async function acceptHoles(
  pipeline: Pipeline,
  { reason, by, ...query }: AcceptanceRequest,
  control: Control,
): Promise<number> {
  const { store, clock, ids } = pipeline.ports;
  const open = (await accountOf(pipeline, query)).flatMap(({ series, gaps }) =>
    [...gaps('open')]
      .filter(({ state, code }) => state === 'pending' && code === 'ROWS_MISSING')
      .flatMap((gap) => intersectRanges([gap], [query.range]).map((range) => ({ series, range }))),
  );
  if (open.length === 0) return 0;
  await store.transact(function* recordAcceptances() {
    for (const { series, range } of open)
      yield* recordAcceptance(ids.next('accept'), series, { ...range, reason, by, atMs: clock.nowMs() });
  });
  const days = { start: dayOf(query.range.fromMs), end: dayOf(query.range.toMs - 1) };
  await materialise(
    pipeline,
    {
      ...query,
      days,
      selection: 'kept',
      waitPolicy: 'all',
      assets: ['silver'],
      trigger: 'accept',
      tags: { accepted_by: by },
    },
    control,
  );
  return open.reduce((sum, { series, range }) => sum + candlesIn(range, series.interval), 0);
}
