import type { NotificationEvent } from './environment.ts';

export interface NotificationHistory {
  readonly triggers: number;
  readonly ends: number;
  /** Sends of a message that had been sent before: its answer was lost, or the process died before it wrote that down. */
  readonly repeats: number;
  /** Keys that were told twice of the same thing under different messages. */
  readonly doubled: readonly string[];
  /** Keys that were told of a beginning and of no end. */
  readonly open: readonly string[];
}

/** Reads what a channel took, in order: one beginning for each cause and level, and one end. */
export function readNotifications(events: readonly NotificationEvent[]): NotificationHistory {
  const seen = new Set<string>();
  const openLevels = new Map<string, Set<string>>();
  const doubled: string[] = [];
  const counts = { triggers: 0, ends: 0, repeats: 0 };
  for (const { id, key, kind, level } of events) {
    if (seen.has(id)) {
      counts.repeats += 1;
      continue;
    }
    seen.add(id);
    if (kind === 'trigger') {
      counts.triggers += 1;
      const levels = openLevels.get(key) ?? new Set<string>();
      if (levels.has(level)) doubled.push(`${key} ${level}`);
      openLevels.set(key, levels.add(level));
    } else if (kind === 'resolve') {
      counts.ends += 1;
      if (!openLevels.delete(key)) doubled.push(`${key} end`);
    }
  }
  return { ...counts, doubled, open: [...openLevels.keys()] };
}
