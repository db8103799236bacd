/** Names for new things. They sort by the time they were made. */
export interface Ids {
  /** `next('run')` -> `run_01jd4x7k3q8f2c`: prefix, 9 characters of time, 5 of chance. */
  next(prefix: string): string;
}
