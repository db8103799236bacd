import type { ExchangeFaultCode } from '../../errors/errors.ts';
import { BREAKER_OPEN_MS, BREAKER_PROBE_CHECK_MS, SLEEP_MS_MAX } from '../../errors/schedule.ts';
import type { BreakerClosure, PageEnd } from '../policies.ts';

/** This many failed pages in a row, of more than one symbol, open the breaker. */
const FAILED_IN_ROW_MAX = 10;
/** The breaker opens, too, when more than `FAILED_RATIO_MAX` of this many last pages failed. */
export const RECENT_PAGES = 20;
const FAILED_RATIO_MAX = 0.8;

/** Plain data: it is stored, shared by processes and survives restarts. */
export type BreakerState =
  | {
      readonly phase: 'closed';
      /** The last pages, oldest first: `x` failed, `.` succeeded. */
      readonly recent: string;
      readonly failedInRow: number;
      /** The symbol of the failures in a row, null once there are several. */
      readonly symbolInRow: string | null;
    }
  | { readonly phase: 'open'; readonly code: ExchangeFaultCode; readonly openings: number; readonly probeAtMs: number }
  | {
      readonly phase: 'half-open';
      readonly code: ExchangeFaultCode;
      readonly openings: number;
      /** The page that probes, and when its process must be dead. */
      readonly probe: string;
      readonly probeEndsMs: number;
    };

export const CLOSED: BreakerState = { phase: 'closed', recent: '', failedInRow: 0, symbolInRow: null };

export interface BreakerAdmission {
  readonly state: BreakerState;
  /** Null admits. */
  readonly closure: BreakerClosure | null;
}

export interface AdmissionQuery {
  /** Names one page among all processes. */
  readonly page: string;
  readonly nowMs: number;
  /** A probe that has not ended after this time is abandoned. */
  readonly probeMsMax: number;
}

/** Decides whether `page` may be requested. The first page after the pause probes; others wait for its outcome. */
export function admit(state: BreakerState, { page, nowMs, probeMsMax }: AdmissionQuery): BreakerAdmission {
  if (state.phase === 'closed' || (state.phase === 'half-open' && state.probe === page))
    return { state, closure: null };
  if (state.phase === 'open' && state.probeAtMs > nowMs)
    return { state, closure: { phase: 'open', code: state.code, untilMs: state.probeAtMs } };
  if (state.phase === 'half-open' && state.probeEndsMs > nowMs)
    return { state, closure: { phase: 'half-open', code: state.code, untilMs: nowMs + BREAKER_PROBE_CHECK_MS } };
  return {
    state: {
      phase: 'half-open',
      code: state.code,
      openings: state.openings,
      probe: page,
      probeEndsMs: nowMs + probeMsMax,
    },
    closure: null,
  };
}

/** Faults of an exchange that does not respond. Every other fault is a response. */
const SILENCES: ReadonlySet<PageEnd['as']> = new Set<ExchangeFaultCode>([
  'CONNECTION_FAILED',
  'REQUEST_TIMEOUT',
  'EXCHANGE_SERVER_ERROR',
]);
export const isUnresponsive = (as: PageEnd['as']): as is ExchangeFaultCode => SILENCES.has(as);

/** The breaker after the end of a page whose attempts are exhausted or that succeeded. */
export function record(state: BreakerState, end: PageEnd, at: Pick<AdmissionQuery, 'page' | 'nowMs'>): BreakerState {
  const failedWith = isUnresponsive(end.as) ? end.as : null;
  switch (state.phase) {
    case 'closed':
      return end.as === 'undecided' ? state : counted(state, end.symbol ?? '', { failedWith, nowMs: at.nowMs });
    case 'open':
      return state; // a page that was in flight when it opened
    case 'half-open':
      if (state.probe !== at.page) return state;
      if (end.as === 'undecided')
        return { phase: 'open', code: state.code, openings: state.openings, probeAtMs: at.nowMs };
      return failedWith === null ? CLOSED : opened(failedWith, state.openings + 1, at.nowMs);
    default:
      return state satisfies never;
  }
}

function counted(
  state: Extract<BreakerState, { phase: 'closed' }>,
  symbol: string,
  { failedWith, nowMs }: { readonly failedWith: ExchangeFaultCode | null; readonly nowMs: number },
): BreakerState {
  const recent = `${state.recent}${failedWith === null ? '.' : 'x'}`.slice(-RECENT_PAGES);
  if (failedWith === null)
    return recent.includes('x') ? { ...state, recent, failedInRow: 0, symbolInRow: null } : CLOSED;
  const failedInRow = state.failedInRow + 1;
  const symbolInRow = state.failedInRow === 0 || state.symbolInRow === symbol ? symbol : null;
  const failedRecently = recent.split('x').length - 1;
  if ((failedInRow >= FAILED_IN_ROW_MAX && symbolInRow === null) || failedRecently / RECENT_PAGES > FAILED_RATIO_MAX)
    return opened(failedWith, 1, nowMs);
  return { phase: 'closed', recent, failedInRow, symbolInRow };
}

const opened = (code: ExchangeFaultCode, openings: number, nowMs: number): BreakerState => ({
  phase: 'open',
  code,
  openings,
  probeAtMs: nowMs + Math.min(BREAKER_OPEN_MS * 2 ** (openings - 1), SLEEP_MS_MAX),
});
