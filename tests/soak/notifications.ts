import type { NotificationEvent } from './environment.ts';

export interface NotificationHistory {
  readonly triggers: number;
  readonly resolves: number;
  /** Messages sent again: the response was lost, or the process died before it recorded the delivery. */
  readonly repeats: number;
  /** Keys with two different messages about the same cause and level, or about the same end. */
  readonly duplicates: readonly string[];
  /** Keys with a trigger and no resolve. */
  readonly open: readonly string[];
}

/** Counts the messages of a channel, oldest first. Each cause and level should have one trigger and one resolve. */
export function readNotifications(events: readonly NotificationEvent[]): NotificationHistory {
  const seen = new Set<string>();
  const openLevels = new Map<string, Set<string>>();
  const duplicates: string[] = [];
  const counts = { triggers: 0, resolves: 0, repeats: 0 };
  for (const { id, key, kind, level } of events) {
    if (seen.has(id)) {
      counts.repeats += 1;
      continue;
    }
    seen.add(id);
    if (kind === 'trigger') {
      counts.triggers += 1;
      const levels = openLevels.get(key) ?? new Set<string>();
      if (levels.has(level)) duplicates.push(`${key} ${level}`);
      openLevels.set(key, levels.add(level));
    } else if (kind === 'resolve') {
      counts.resolves += 1;
      if (!openLevels.delete(key)) duplicates.push(`${key} resolve`);
    }
  }
  return { ...counts, duplicates, open: [...openLevels.keys()] };
}
