/**
 * A stream of chance. Each subsystem forks its own by name, so that one more draw in one place does
 * not shift what every other place draws: a seed stays reproducible while the code grows.
 */
export interface Random {
  /** The seed that reproduces this stream. */
  readonly seed: string;
  /** A number in [0, 1). */
  next(): number;
  /** An independent stream, determined by this stream's seed and the name alone. */
  fork(name: string): Random;
}
