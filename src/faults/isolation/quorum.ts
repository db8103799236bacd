/** More than this share of an asset's symbols failed: worth a warning (SYMBOLS_FAILED). Strict. */
const FAILED_RATIO_WARN = 0.1;
/** More than this share failed: the asset fails; what survived stays stored. Strict. */
const FAILED_RATIO_MAX = 0.5;

export type Quorum = 'whole' | 'some-failed' | 'many-failed' | 'lost';

/** How an asset stands when `failed` of `asked` symbols failed. Nothing asked is whole: there was nothing to fail. */
export function quorumOf(asked: number, failed: number): Quorum {
  if (failed === 0) return 'whole';
  const ratio = failed / asked;
  if (ratio > FAILED_RATIO_MAX) return 'lost';
  return ratio > FAILED_RATIO_WARN ? 'many-failed' : 'some-failed';
}
