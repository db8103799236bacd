/** More than this share of an asset's symbols failed: the asset fails; what survived stays stored. Strict. */
const FAILED_RATIO_MAX = 0.5;

export type Quorum = 'whole' | 'partial' | 'lost';

/** How an asset stands when `failed` of `asked` symbols failed. Nothing asked is whole: there was nothing to fail. */
export function quorumOf(asked: number, failed: number): Quorum {
  if (failed === 0) return 'whole';
  return failed / asked > FAILED_RATIO_MAX ? 'lost' : 'partial';
}
