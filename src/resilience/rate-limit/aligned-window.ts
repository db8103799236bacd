/**
 * One limit's window as all processes of an address know it. Counts are in the limit's units. `windowAt` makes the
 * state of a new window, `decideWindow` grants, `endedWithin` and `observeWindow` take in a response.
 *
 * A probe is a request whose response shows what was used before our first grant; until then only one is in flight.
 * The rest of a window is kept for others when what they will probably use leaves no room for us. A scout is a request
 * sent all the same, whose response shows whether they still use it.
 *
 *   no state, or one of     two or more
 *   a clock ahead of ours   windows later
 *          │                    │
 *          ▼                    ▼
 *    known: nothing        known: ours     one probe at a time is granted; without a response the next may probe
 *          └─────────┬──────────┘
 *                    │ response to the probe
 *                    ▼
 *               known: all ◀── next window     granted up to our share
 *                 │     ▲
 *   use forecast  │     │ others used less
 *   for others    ▼     │
 *   does not fit: rest kept                    one scout per SCOUT_RATIO of a window is granted
 *
 * In every new window `spent` starts with the requests in flight across the boundary, and `othersForecast` with what
 * others used before.
 */
export interface WindowState {
  /** Number of the window on the exchange's clock: its time divided by the window's length. */
  readonly index: number;
  /** Granted in this window, and what requests in flight at its start may cost in it although granted before. */
  readonly spent: number;
  /** Granted in this window to requests that have not ended: the next window may count them as well. */
  readonly inFlight: number;
  /**
   * Used by others on our address since `observedFromMs`, as of `observedAtMs`; both in milliseconds into the window.
   */
  readonly others: number;
  readonly observedFromMs: number;
  readonly observedAtMs: number;
  /** The largest growth of `others` from one response to the next. */
  readonly othersStepMax: number;
  /** Use by others in a whole window, forecast from the windows before. */
  readonly othersForecast: number;
  /** What is known of the use before the first grant: nothing, our own part, or all of it. */
  readonly known: 'nothing' | 'ours' | 'all';
  /** While a probe or scout is out, no other is granted until this time (our clock). */
  readonly probeUntilMs: number;
}

/** A moment on the exchange's clock. */
export interface WindowTime {
  readonly index: number;
  readonly windowMs: number;
  /** Since the window began. */
  readonly intoMs: number;
}

/** Part of the limit left unused once others share the address, for their requests since the last response. */
const OTHERS_MARGIN_RATIO = 0.03;
/** Rates are taken over at least this part of a window, because a shorter observation predicts too much. */
const WATCHED_RATIO_MIN = 0.05;
/** While the rest is kept for others, one request in this part of a window checks whether they still use it. */
export const SCOUT_RATIO = 1 / 60;
/** After this many windows without a grant, others may have started. */
const SILENT_WINDOWS_MAX = 2;

const NO_OTHERS = { others: 0, observedFromMs: 0, observedAtMs: 0, othersStepMax: 0, othersForecast: 0 } as const;

/** The exchange's clock as two processes know it differs by less than this. Unit: milliseconds. */
const APART_MS_MAX = 2_000;

/**
 * The state for `time`: unchanged within its window; in a new window charged with the requests in flight across the
 * boundary. A state from further ahead was written by a wrong clock and counts as unknown.
 */
export function windowAt(state: WindowState | null, { index, windowMs, intoMs }: WindowTime): WindowState {
  const fresh = { index, spent: 0, inFlight: 0, probeUntilMs: 0, ...NO_OTHERS };
  const aheadMs = state === null ? 0 : (state.index - index) * windowMs - intoMs;
  if (state === null || aheadMs > APART_MS_MAX) return { ...fresh, known: 'nothing' };
  const passed = index - state.index;
  if (passed <= 0) return state;
  const inOneWindow = state.others + othersUntilEnd({ ...state, othersForecast: 0 }, windowMs);
  const faded = (amount: number): number => Math.floor(amount / 2 ** (passed - 1));
  return {
    ...fresh,
    spent: state.inFlight,
    othersForecast: faded(Math.max(inOneWindow, state.othersForecast / 2)),
    othersStepMax: faded(state.others > 0 ? state.othersStepMax : state.othersStepMax / 2),
    known: passed < SILENT_WINDOWS_MAX ? 'all' : 'ours',
  };
}

/**
 * What others will use in this window after the last observation: the larger of their observed and forecast rates
 * times the rest of the window, but at least one more step.
 */
function othersUntilEnd(
  { others, observedFromMs, observedAtMs, othersForecast, othersStepMax }: WindowState,
  windowMs: number,
): number {
  const watchedMs = Math.max(observedAtMs - observedFromMs, windowMs * WATCHED_RATIO_MIN);
  return Math.max(Math.max(others / watchedMs, othersForecast / windowMs) * (windowMs - observedAtMs), othersStepMax);
}

export interface WindowRequest {
  readonly time: WindowTime;
  readonly cost: number;
  /** The exchange's limit and our share of it. */
  readonly limit: number;
  readonly share: number;
  /** Our clock. */
  readonly nowMs: number;
  readonly probeMsMax: number;
}

export type WindowDecision =
  | { readonly granted: true; readonly state: WindowState }
  /** `response`: one in flight will show how much is used. `others`: the rest is kept for them for now. */
  | { readonly granted: false; readonly until: 'next-window' | 'response' | 'others' };

/**
 * Decides whether `cost` may be spent now: within our share of the limit, and within the part of it that others
 * leave. A request heavier than a whole share is granted in an unused window.
 */
export function decideWindow(before: WindowState | null, request: WindowRequest): WindowDecision {
  const { time, cost, limit, share, nowMs } = request;
  const state = windowAt(before, time);
  const { spent } = state;
  if (state.index > time.index) return { granted: false, until: 'next-window' }; // another process is in it already
  const margin = state.others + state.othersForecast > 0 ? limit * OTHERS_MARGIN_RATIO : 0;
  const left = limit - margin - state.others;
  if (spent + state.others > 0 && spent + cost > Math.floor(Math.min(limit * share, left)))
    return { granted: false, until: 'next-window' };
  const isKept = spent > 0 && spent + cost > left - othersUntilEnd(state, time.windowMs);
  const granted = { ...state, spent: spent + cost, inFlight: state.inFlight + cost };
  if (state.known === 'all' && !isKept) return { granted: true, state: granted };
  if (state.probeUntilMs > nowMs) return { granted: false, until: state.known === 'all' ? 'others' : 'response' };
  const probeMs = state.known === 'all' ? time.windowMs * SCOUT_RATIO : request.probeMsMax;
  return { granted: true, state: { ...granted, probeUntilMs: nowMs + probeMs } };
}

/** The state after a request ended in the window that granted it: no later window counts that request. */
export const endedWithin = (state: WindowState, cost: number): WindowState => ({
  ...state,
  inFlight: Math.max(0, state.inFlight - cost),
});

/** What a response states was used in its window, and an estimate of what others used of it. */
export interface ReportedUse {
  readonly used: number;
  readonly estimate: number;
}

/**
 * The state after a response that arrived in the window. If it states more use than all our grants, others share the
 * address (in a new store, our own earlier requests may have caused it). Only then does `estimate` count: it is more
 * precise but can err. `report` is null if the response states no use: no probe is needed any more.
 */
export function observeWindow(state: WindowState, report: ReportedUse | null, { intoMs }: WindowTime): WindowState {
  const known: WindowState = state.known === 'all' ? state : { ...state, known: 'all', probeUntilMs: 0 };
  if (report === null) return known;
  const observedAtMs = Math.floor(intoMs);
  const beyondUs = Math.max(0, report.used - state.spent);
  if (state.known === 'nothing')
    return { ...known, spent: state.spent + beyondUs, observedFromMs: observedAtMs, observedAtMs };
  if (beyondUs + state.others + state.othersForecast === 0) return known;
  const others = Math.max(state.others, beyondUs, Math.ceil(report.estimate));
  return { ...known, others, observedAtMs, othersStepMax: Math.max(state.othersStepMax, others - state.others) };
}

/** The probe brought no response: the next request may probe. */
export const probeLost = (state: WindowState): WindowState =>
  state.known === 'all' ? state : { ...state, probeUntilMs: 0 };
