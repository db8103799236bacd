/** New ids, which sort by creation time. */
export interface Ids {
  /** `next('run')` -> `run_01jd4x7k3q8f2c`: prefix, 9 characters of time, 5 random ones. */
  next(prefix: string): string;
}
