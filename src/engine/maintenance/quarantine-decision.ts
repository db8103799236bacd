import { dayOf } from '../../domain/partition.ts';
import { flushJournal, writeJournal } from '../../lake/journal.ts';
import { recordDecisions, type QuarantineDecision, type QuarantineVerdict } from '../../lake/quarantine-decisions.ts';
import type { QuarantinedRow } from '../../lake/quarantine-columns.ts';
import { ConfigurationError } from '../../errors/errors.ts';
import { materialise } from '../runs/materialise.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { Control, WorkResult } from '../core/work.ts';

/** A person's decision about quarantined rows of one series. */
export interface QuarantineRequest {
  readonly rows: readonly QuarantinedRow[];
  readonly verdict: QuarantineVerdict;
  readonly reason: string;
  readonly by: string;
}

/** A row that breaks one of these rules is not a candle of the series and cannot be released. */
const NEVER_RELEASED: readonly string[] = ['off-grid', 'unfinished', 'not-finite'];

/**
 * Stores the decision, also in decisions.ndjson, and rebuilds its days: a released row is in silver as delivered and
 * listed in the manifest, a dropped one is no longer requested. A later valid row replaces either. If the rebuild
 * fails, the next one applies the decision.
 * @throws ConfigurationError (CONFIG_INVALID) for a row that cannot be released.
 */
export async function decideQuarantined(
  pipeline: Pipeline,
  order: QuarantineRequest,
  control: Control,
): Promise<WorkResult> {
  const { ports, lake } = pipeline;
  const refused = order.rows
    .flatMap(({ rules }) => rules)
    .find((rule) => order.verdict === 'release' && NEVER_RELEASED.includes(rule));
  if (refused !== undefined)
    throw new ConfigurationError({
      where: '<row>',
      expected: `a row that breaks none of ${NEVER_RELEASED.join(', ')}`,
      got: `one that breaks ${refused}`,
    });
  const decisions = order.rows.map(
    ({ row: { exchange, symbol, interval, openTimeMs }, raw, rules }): QuarantineDecision => ({
      id: ports.ids.next('decision'),
      exchange,
      symbol,
      interval,
      openTimeMs,
      verdict: order.verdict,
      raw,
      rules,
      reason: order.reason,
      by: order.by,
      atMs: ports.clock.nowMs(),
    }),
  );
  await ports.store.transact(function* decideRows() {
    yield* recordDecisions(decisions);
    for (const decision of decisions) yield* writeJournal('decisions.ndjson', decision);
  });
  await flushJournal(ports, lake, 'decisions.ndjson');
  const days = order.rows.map(({ row }) => dayOf(row.openTimeMs)).toSorted();
  const [first] = order.rows;
  return materialise(
    pipeline,
    {
      days: { start: days[0] ?? '', end: days.at(-1) ?? '' },
      markets: new Map(first === undefined ? [] : [[first.row.exchange, [first.row.symbol]]]),
      intervals: first === undefined ? [] : [first.row.interval],
      selection: 'kept',
      waitPolicy: 'all',
      assets: ['silver'],
      trigger: 'quarantine',
      tags: { decided_by: order.by },
    },
    control,
  );
}
