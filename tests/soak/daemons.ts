import { realClock } from '../../src/platform/node/system-clock.ts';
import type { Random } from '../../src/platform/ports/random.ts';
import { rssKbOf, type Lifetime, type MemorySample } from './memory.ts';
import type { OwnProcess, Place, Processes } from './processes.ts';

/** `candlekeep start` on one data directory, over all its lives. */
export interface Daemon {
  readonly place: Place;
  readonly lives: readonly (Lifetime & { readonly samples: MemorySample[] })[];
  /** The one that lives now. */
  current(): OwnProcess;
  kills(): number;
  /** Starts it again where it has ended. */
  revive(): void;
  kill(): Promise<void>;
  sample(): void;
}

export function daemonOn(processes: Processes, place: Place, beganAtMs: number): Daemon {
  const lives: (Lifetime & { samples: MemorySample[] })[] = [];
  let kills = 0;
  const begin = (): OwnProcess => {
    lives.push({ beganMs: realClock.nowMs() - beganAtMs, samples: [] });
    return processes.start(place, ['start', '--json']);
  };
  let current = begin();
  const hasEnded = (): boolean => current.child.exitCode !== null || current.child.signalCode !== null;
  return {
    place,
    lives,
    current: () => current,
    kills: () => kills,
    revive: () => {
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
      if (rssKb !== null) lives.at(-1)?.samples.push({ ageMs: realClock.nowMs() - current.startedAtMs, rssKb });
    },
  };
}

/** A kill comes after half to one and a half times the mean, so that kills land anywhere. */
const waitForKillMs = (random: Random, killEveryMs: number): number => killEveryMs * (0.5 + random.next());

/** Kills the daemon and starts it again until the signal aborts. `alsoKill` says who goes with it. */
export async function killAgainAndAgain(
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
    daemon.revive();
  }
}
/** So many kills take a command beside the daemon with them, as a power cut does. */
const WHOLE_MACHINE_RATIO = 0.4;
