/** One limit's window as all processes of an address know it. Counts are in the limit's units. */
export interface WindowState {
  /** Number of the window on the venue's clock: its time divided by the window's length. */
  readonly index: number;
  /** Granted to our own requests, sent or not; and what of the window before may be counted in this one. */
  readonly spent: number;
  /** Granted in this window to requests that have not ended: the next may count them as well. */
  readonly underWay: number;
  /** Used by others on our address since `watchedFromMs`, as last heard at `heardAtMs`; both in milliseconds into the window. */
  readonly others: number;
  readonly watchedFromMs: number;
  readonly heardAtMs: number;
  /** The most by which others grew from one answer to the next. */
  readonly othersJump: number;
  /** What others use in a whole window, judging by those before. */
  readonly othersExpected: number;
  /** What is known of the use before the first grant: nothing at all, our own part, or all of it. */
  readonly known: 'nothing' | 'ours' | 'all';
  /**
   * Until this time of ours nobody follows the request that went ahead to find out how much is used: before
   * all is known, or while what is left is kept for others.
   */
  readonly probeUntilMs: number;
}

/** A moment on the venue's clock. */
export interface WindowTime {
  readonly index: number;
  readonly windowMs: number;
  /** Since the window began. */
  readonly intoMs: number;
}

/** Others are seen through answers, so a little late: this much of the limit is left for what they did since. */
const OTHERS_MARGIN_RATIO = 0.03;
/** What others did in less than this part of a window says little about the rest of it. */
const WATCHED_RATIO_MIN = 0.05;
/** While what is left is kept for others, one request in this part of a window looks whether they still want it. */
export const SCOUT_RATIO = 1 / 60;
/** After so many windows without a grant, others may have come. */
const SILENT_WINDOWS_MAX = 2;

const NOBODY = { others: 0, watchedFromMs: 0, heardAtMs: 0, othersJump: 0, othersExpected: 0 } as const;

/** Processes that know the venue's clock differ by less than this. Unit: milliseconds. */
const APART_MS_MAX = 2_000;

/** The state at a window's beginning, charged with what was under way over its border, or as it was inside one. A state from farther ahead was written by a wrong clock: nothing is known then. */
export function windowAt(state: WindowState | null, { index, windowMs, intoMs }: WindowTime): WindowState {
  const fresh = { index, spent: 0, underWay: 0, probeUntilMs: 0, ...NOBODY };
  const aheadMs = state === null ? 0 : (state.index - index) * windowMs - intoMs;
  if (state === null || aheadMs > APART_MS_MAX) return { ...fresh, known: 'nothing' };
  const passed = index - state.index;
  if (passed <= 0) return state;
  const inOneWindow = state.others + othersToCome({ ...state, othersExpected: 0 }, windowMs);
  const faded = (amount: number): number => Math.floor(amount / 2 ** (passed - 1));
  return {
    ...fresh,
    spent: state.underWay,
    othersExpected: faded(Math.max(inOneWindow, state.othersExpected / 2)),
    othersJump: faded(state.others > 0 ? state.othersJump : state.othersJump / 2),
    known: passed < SILENT_WINDOWS_MAX ? 'all' : 'ours',
  };
}

/** What others will use in this window after they were last heard of: as much as they did, or used to, in the same time, and room for one more leap in any case. */
function othersToCome(
  { others, watchedFromMs, heardAtMs, othersExpected, othersJump }: WindowState,
  windowMs: number,
): number {
  const watchedMs = Math.max(heardAtMs - watchedFromMs, windowMs * WATCHED_RATIO_MIN);
  return Math.max(Math.max(others / watchedMs, othersExpected / windowMs) * (windowMs - heardAtMs), othersJump);
}

export interface WindowRequest {
  readonly time: WindowTime;
  readonly cost: number;
  /** The venue's limit and our share of it. */
  readonly limit: number;
  readonly share: number;
  /** Our clock. */
  readonly nowMs: number;
  readonly probeMsMax: number;
}

export type WindowDecision =
  | { readonly granted: true; readonly state: WindowState }
  /** `answer`: one that is under way tells how much is used. `others`: what is left is kept for them for now. */
  | { readonly granted: false; readonly until: 'next-window' | 'answer' | 'others' };

/**
 * May `cost` be spent now? Ours is our share of the limit, and what others leave of the whole. A request
 * heavier than a whole share passes into an unused window.
 */
export function decideWindow(before: WindowState | null, request: WindowRequest): WindowDecision {
  const { time, cost, limit, share, nowMs } = request;
  const state = windowAt(before, time);
  const { spent } = state;
  if (state.index > time.index) return { granted: false, until: 'next-window' }; // another process is in it already
  const margin = state.others + state.othersExpected > 0 ? limit * OTHERS_MARGIN_RATIO : 0;
  const left = limit - margin - state.others;
  if (spent + state.others > 0 && spent + cost > Math.floor(Math.min(limit * share, left)))
    return { granted: false, until: 'next-window' };
  const isKept = spent > 0 && spent + cost > left - othersToCome(state, time.windowMs);
  const granted = { ...state, spent: spent + cost, underWay: state.underWay + cost };
  if (state.known === 'all' && !isKept) return { granted: true, state: granted };
  if (state.probeUntilMs > nowMs) return { granted: false, until: state.known === 'all' ? 'others' : 'answer' };
  const probeMs = state.known === 'all' ? time.windowMs * SCOUT_RATIO : request.probeMsMax;
  return { granted: true, state: { ...granted, probeUntilMs: nowMs + probeMs } };
}

/** The window after a request that was granted in it has ended in it: no later one counts that request. */
export const endedWithin = (state: WindowState, cost: number): WindowState => ({
  ...state,
  underWay: Math.max(0, state.underWay - cost),
});

/** What an answer says was used in the window it was counted in, and how much of it others seem to have used. */
export interface ReportedUse {
  readonly used: number;
  readonly estimate: number;
}

/**
 * The window after an answer from inside it. More used than all we ever granted proves that somebody else
 * is there (or, in a fresh store, that we were before); only then is `estimate` believed, which is closer
 * to the truth and errs at times. Null for an answer that does not say: there is nothing to wait for.
 */
export function observeWindow(state: WindowState, told: ReportedUse | null, { intoMs }: WindowTime): WindowState {
  const known: WindowState = state.known === 'all' ? state : { ...state, known: 'all', probeUntilMs: 0 };
  if (told === null) return known;
  const heardAtMs = Math.floor(intoMs);
  const beyondUs = Math.max(0, told.used - state.spent);
  if (state.known === 'nothing')
    return { ...known, spent: state.spent + beyondUs, watchedFromMs: heardAtMs, heardAtMs };
  if (beyondUs + state.others + state.othersExpected === 0) return known;
  const others = Math.max(state.others, beyondUs, Math.ceil(told.estimate));
  return { ...known, others, heardAtMs, othersJump: Math.max(state.othersJump, others - state.others) };
}

/** The request that went ahead brought no answer: the next may. */
export const probeLost = (state: WindowState): WindowState =>
  state.known === 'all' ? state : { ...state, probeUntilMs: 0 };
