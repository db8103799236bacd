import type { Exchange } from './exchange.ts';

/** What a run makes, by name: one bronze asset for each exchange, then silver and gold of all of them. */
export const SILVER_ASSET = 'silver_ohlcv_normalized';
export const GOLD_ASSET = 'gold_huggingface_ohlcv';
export const bronzeAsset = (exchange: Exchange): string => `bronze_${exchange}_ohlcv`;

/** Null for an asset of every exchange. */
export const exchangeOfAsset = (asset: string): Exchange | null => /^bronze_(.+)_ohlcv$/.exec(asset)?.[1] ?? null;

export const ASSET_KINDS = ['bronze', 'silver', 'gold'] as const;
export type AssetKind = (typeof ASSET_KINDS)[number];
