/** One series in the table of the card. */
export interface CardRow {
  readonly exchange: string;
  readonly symbol: string;
  readonly interval: string;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly candles: number;
  /** Due candles of these days that are missing, each with a reason in the publisher's ledger. */
  readonly missing: number;
}

export interface Card {
  readonly repo: string | null;
  readonly rows: readonly CardRow[];
}

/** Bounds of the Hub's size categories. Source: hub-docs, datasets-cards. */
const SIZES = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [1e8, '10M<n<100M'],
  [1e9, '100M<n<1B'],
] as const;

const configOf = (interval: string, at: number): string => `\
  - config_name: "${interval}"
    data_files:
      - split: train
        path: "data/interval=${interval}/**/*.parquet"${at === 0 ? '\n    default: true' : ''}`;

const tableRowOf = ({ exchange, symbol, interval, firstDay, lastDay, candles, missing }: CardRow): string =>
  `| ${exchange} | ${symbol} | ${interval} | ${firstDay} | ${lastDay} | ${candles} | ${missing} |`;

/** The dataset's README.md: front matter for the Hub, and how the candles were made. */
export function renderCard({ repo, rows }: Card): string {
  const intervals = [...new Set(rows.map((row) => row.interval))];
  const candles = rows.reduce((sum, row) => sum + row.candles, 0);
  const name = repo ?? 'owner/name';
  const path = `data/interval=${intervals[0] ?? '1h'}/**/*.parquet`;
  return `---
pretty_name: OHLCV candles
license: other
license_name: exchange-market-data
tags: [finance, cryptocurrency, ohlcv, candles, time-series]
size_categories: ["${SIZES.find(([below]) => candles < below)?.[1] ?? 'n>1B'}"]
configs:
${intervals.map(configOf).join('\n')}
---
# OHLCV candles

Candles as the exchanges delivered them, cleaned by published rules and never filled: \
a candle that is not here was not delivered.
\`_meta/manifest.json\` tells rows, removed rows by rule and checksums of every file; \`_meta/SHA256SUMS\` checks them.

| exchange | symbol | interval | first day | last day | candles | missing |
| --- | --- | --- | --- | --- | ---: | ---: |
${rows.map(tableRowOf).join('\n')}

Columns: \`timestamp\` (candle open, UTC), \`exchange\`, \`symbol\`, \`interval\`, \`open\`, \`high\`, \`low\`, \
\`close\`, \`volume\` (base asset), \`quote_volume\`, \`trades\`.
Values are the nearest double of the exchange's decimal.

## Reading it
\`\`\`python
from datasets import load_dataset
candles = load_dataset("${name}", "${intervals[0] ?? '1h'}", split="train")

import pandas as pd
frame = pd.read_parquet("hf://datasets/${name}/data", partitioning=None)

import polars as pl
frame = pl.scan_parquet("hf://datasets/${name}/${path}")
\`\`\`
\`\`\`sql
select * from 'hf://datasets/${name}/${path}' where symbol = 'BTC/USDT' order by timestamp;
\`\`\`

Made with Candlekeep. The market data belongs to the exchanges; their terms apply.
`;
}
