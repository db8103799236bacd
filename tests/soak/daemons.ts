import { realClock } from '../../src/platform/node/system-clock.ts';
import type { Random } from '../../src/platform/ports/random.ts';
import { rssKbOf, type Lifetime, type MemorySample } from './memory.ts';
import type { OwnProcess, Processes, Site } from './processes.ts';

/** `candlekeep start` on one data directory, over all its restarts. */
export interface Daemon {
  readonly site: Site;
  readonly lifetimes: readonly (Lifetime & { readonly samples: MemorySample[] })[];
  /** The current process. */
  current(): OwnProcess;
  kills(): number;
  /** Starts the daemon again if it has ended. */
  restart(): void;
  kill(): Promise<void>;
  sample(): void;
}

export function daemonOn(processes: Processes, site: Site, beganAtMs: number): Daemon {
  const lifetimes: (Lifetime & { samples: MemorySample[] })[] = [];
  let kills = 0;
  const begin = (): OwnProcess => {
    lifetimes.push({ beganMs: realClock.nowMs() - beganAtMs, samples: [] });
    return processes.start(site, ['start', '--json']);
  };
  let current = begin();
  const hasEnded = (): boolean => current.child.exitCode !== null || current.child.signalCode !== null;
  return {
    site,
    lifetimes,
    current: () => current,
    kills: () => kills,
    restart: () => {
      if (hasEnded()) current = begin();
    },
    kill: async () => {
      if (hasEnded()) return;
      kills += 1;
      processes.signal(current, 'SIGKILL');
      await current.ended;
    },
    sample: () => {
      const rssKb = current.child.pid === undefined || hasEnded() ? null : rssKbOf(current.child.pid);
      if (rssKb !== null) lifetimes.at(-1)?.samples.push({ ageMs: realClock.nowMs() - current.startedAtMs, rssKb });
    },
  };
}

/** Half to one and a half times the mean, so that kills do not fall into a rhythm. */
const waitForKillMs = (random: Random, killEveryMs: number): number => killEveryMs * (0.5 + random.next());

/** Kills and restarts the daemon until the signal aborts. Some kills also call `alsoKill`, as a power cut would. */
export async function killRepeatedly(
  daemon: Daemon,
  {
    random,
    killEveryMs,
    alsoKill,
    signal,
  }: {
    readonly random: Random;
    readonly killEveryMs: number;
    readonly alsoKill: () => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (;;) {
    const isOver = await realClock.sleep(waitForKillMs(random, killEveryMs), signal).then(
      () => false,
      () => true,
    );
    if (isOver) return;
    if (random.next() < WHOLE_MACHINE_RATIO) alsoKill();
    await daemon.kill();
    daemon.restart();
  }
}
/** Share of the kills that also hit the command under way. */
const WHOLE_MACHINE_RATIO = 0.4;
