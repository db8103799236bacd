/** Who holds a lease: enough to tell a dead process from one whose number was given away again. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start of the process as the operating system counts it; empty where it does not say. */
  readonly startMark: string;
}

export interface Processes {
  readonly self: ProcessIdentity;
  /** False only when it is certain: same host, and that process is gone. */
  mayBeAlive(other: ProcessIdentity): boolean;
}
