import type { Control } from './work.ts';

export interface RunControl extends Control {
  readonly position: { readonly run: number; readonly runs: number };
  /** Called once every venue was asked for all of it, answered or not: the next run may begin to ask. */
  readonly onAsked: () => void;
  /** Resolves when the run before has ended. Only then are files written. */
  readonly previousEnded: () => Promise<void>;
}
