import type { RawRow } from '../../engine/queries/quarantine.ts';
import { ROW_RULES } from '../../lake/quality/row-rules.ts';
import type { QuarantinedRow } from '../../lake/quarantine-columns.ts';
import { candleText } from '../cell-reference.ts';
import { isoTime } from './schema.ts';

/** A quarantined row with the response it came in; `found` is null when bronze no longer has the response. */
export interface ShownRow {
  readonly row: QuarantinedRow;
  readonly found: RawRow | null;
  readonly hasBody: boolean;
}

export function quarantinedDocument({ row: { row, rules, runId, raw }, found, hasBody }: ShownRow): object {
  const { openTimeMs, quoteVolume, closeTimeMs: _unknown, ...values } = row;
  return {
    timestamp: isoTime(openTimeMs),
    ...values,
    quote_volume: quoteVolume,
    rules,
    run_id: runId,
    raw,
    answer:
      found === null
        ? null
        : {
            url: found.response.url,
            status: found.response.status,
            fetched_at: found.response.fetched_at,
            row: found.row,
            ...(hasBody ? { body: found.response.body } : {}),
          },
  };
}

const RULE_TEXTS: Readonly<Record<string, { readonly says: string } | undefined>> = ROW_RULES;

export function quarantinedText({ row: { row, rules, runId, raw }, found, hasBody }: ShownRow): string {
  const { open, high, low, close, volume, quoteVolume, trades } = row;
  return [
    candleText(row, row.openTimeMs),
    ...rules.map((rule) => `  breaks    ${rule}: ${RULE_TEXTS[rule]?.says ?? 'a rule of another version'}`),
    `  values    open ${open}, high ${high}, low ${low}, close ${close}, volume ${volume}, ` +
      `quote volume ${quoteVolume ?? '-'}, trades ${trades ?? '-'}`,
    `  run       ${runId}`,
    `  raw       ${raw}`,
    ...(found === null
      ? ['  response  no longer in bronze']
      : [
          `  request   ${found.response.url}`,
          `  response  ${found.response.status} at ${found.response.fetched_at}`,
          `  row       ${JSON.stringify(found.row)}`,
          ...(hasBody ? [`  body      ${found.response.body}`] : []),
        ]),
  ].join('\n');
}
