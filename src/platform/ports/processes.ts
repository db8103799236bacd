/** The holder of a lease: enough to recognise a dead process whose process id was reused. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start time of the process as the operating system reports it; empty where it does not. */
  readonly startMark: string;
}

export interface Processes {
  readonly self: ProcessIdentity;
  /** False only when it is certain: on the same host, and the process is gone. */
  mayBeAlive(other: ProcessIdentity): boolean;
}
