/**
 * A stream of random numbers. Each subsystem forks its own by name, so that an additional draw in one place does not
 * change the draws of the others: a seed stays reproducible while the code changes.
 */
export interface Random {
  /** The seed that reproduces this stream. */
  readonly seed: string;
  /** A number in [0, 1). */
  next(): number;
  /** An independent stream, determined by this stream's seed and the name alone. */
  fork(name: string): Random;
}
