import type { Markets } from '../core/symbol-resolution.ts';

/** The symbols a daemon watches. Called again on every tick; sends no request to an exchange. */
export type WatchedMarkets = () => Promise<Markets>;
