/** The asset fails when more than this share of its symbols failed; the others stay stored. */
const FAILED_RATIO_MAX = 0.5;

export type Quorum = 'whole' | 'partial' | 'lost';

/** The state of an asset when `failed` of `requested` symbols failed; an asset without symbols is whole. */
export function quorumOf(requested: number, failed: number): Quorum {
  if (failed === 0) return 'whole';
  return failed / requested > FAILED_RATIO_MAX ? 'lost' : 'partial';
}
