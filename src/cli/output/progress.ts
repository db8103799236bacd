import type { Clock } from '../../platform/ports/clock.ts';
import type { Progress } from '../../engine/core/work.ts';
import { count, type Console } from './console.ts';

/** Between two lines off a terminal. Unit: milliseconds. */
const LINE_EVERY_MS = 10_000;
/** Between two redraws on a terminal. Unit: milliseconds. */
const REDRAW_EVERY_MS = 100;
const BAR_CHARS = 24;

/** Shows progress: a redrawn line on a terminal, a line every ten seconds elsewhere, nothing with --json. */
export function progressOn(screen: Console, clock: Clock): (progress: Progress) => void {
  let shownAtMs = clock.monotonicMs();
  /** By run: runs overlap, so each line begins with its run. */
  const heads = new Map<string, string>();
  return (progress) => {
    if (screen.isJson) return;
    if (progress.type === 'run') {
      const { start, end } = progress.days;
      const days = start === end ? start : `${start}..${end}`;
      const head = `run ${progress.run}/${progress.runs}  ${progress.interval} ${days}`;
      heads.set(progress.runId, head);
      if (!screen.isLive && progress.pages > 0)
        screen.say(`${head}  ${progress.exchange}: ${count(progress.pages, 'page')} to request`);
      return;
    }
    const nowMs = clock.monotonicMs();
    if (nowMs - shownAtMs < (screen.isLive ? REDRAW_EVERY_MS : LINE_EVERY_MS)) return;
    shownAtMs = nowMs;
    const text = `${heads.get(progress.runId)}  ${textOf(progress)}`;
    if (screen.isLive) screen.live(text);
    else screen.say(text);
  };
}

function textOf(progress: Exclude<Progress, { type: 'run' }>): string {
  if (progress.type === 'step') return `${progress.asset} ${progress.detail}`;
  const { pagesDone, pages } = progress;
  const filled = pages === 0 ? 0 : Math.round((pagesDone / pages) * BAR_CHARS);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_CHARS - filled)}`;
  return `${progress.exchange} [${bar}] ${pagesDone}/${pages}  ${progress.symbol}`;
}
