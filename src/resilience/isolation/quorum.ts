/** The asset fails when more than this share of its symbols failed; the others stay stored. */
const FAILED_RATIO_MAX = 0.5;

export type Quorum = 'whole' | 'partial' | 'lost';

/** The state of an asset when `failed` of `asked` symbols failed; an asset without symbols is whole. */
export function quorumOf(asked: number, failed: number): Quorum {
  if (failed === 0) return 'whole';
  return failed / asked > FAILED_RATIO_MAX ? 'lost' : 'partial';
}
