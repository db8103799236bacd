import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { jsonReply, type ResponseReply, type StandInRequest } from '../../../src/simulation/stand-ins/reply.ts';
import { jsonOf, standInChannel, type StandInChannel } from './stand-in-channel.ts';

/** The part of the Events API v2 that we send. */
export interface PagerDutyBody {
  readonly routing_key: string;
  readonly event_action: string;
  readonly dedup_key: string;
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  readonly payload?: {
    readonly summary: string;
    readonly severity: string;
    readonly source: string;
    readonly custom_details?: Readonly<Record<string, string>>;
  };
}

export interface StandInPagerDuty extends StandInChannel<PagerDutyBody> {
  /** Open incidents by key after the events received so far. */
  open(): ReadonlyMap<string, 'triggered' | 'acknowledged'>;
}

const PATH = '/v2/enqueue';
const EVENT_BYTES_MAX = 512_000;
const SEVERITIES = ['critical', 'error', 'warning', 'info'];

/** Source: PagerDuty's API schema. Limits are repeated on purpose, independent of the client's. */
export function standInPagerDuty({
  routingKey,
  plan,
}: {
  readonly routingKey: string;
  readonly plan?: FaultPlan;
}): StandInPagerDuty {
  const refuse = (status: number, error: string): { refusal: ResponseReply } => ({
    refusal: jsonReply(status, { status: 'invalid event', message: 'Event object is invalid', errors: [error] }),
  });
  const read = (request: StandInRequest): { message: PagerDutyBody } | { refusal: ResponseReply } => {
    if (request.path !== PATH || request.method !== 'POST')
      return { refusal: jsonReply(404, { message: 'not found' }) };
    if (request.body.length > EVENT_BYTES_MAX) return refuse(413, 'Event exceeds 512000 bytes');
    const event = jsonOf(request) as PagerDutyBody | null;
    if (event === null) return refuse(400, 'Invalid JSON');
    const rejection = rejectionOf(event, routingKey);
    return rejection === null ? { message: event } : refuse(400, rejection);
  };
  const channel = standInChannel<PagerDutyBody>({
    read,
    taken: ({ dedup_key }) => jsonReply(202, { status: 'success', message: 'Event processed', dedup_key }),
    errorBody: ({ message }) => ({ status: 'error', message, errors: [] }),
    ...(plan ? { plan } : {}),
  });
  return { ...channel, open: () => incidentsOf(channel.received.map(({ message }) => message)) };
}

function rejectionOf(
  { routing_key, event_action, dedup_key, payload, links }: PagerDutyBody,
  routingKey: string,
): string | null {
  if (routing_key !== routingKey || routing_key.length !== 32) return "'routing_key' is invalid";
  if (typeof dedup_key !== 'string' || dedup_key.length === 0 || dedup_key.length > 255)
    return "'dedup_key' is invalid";
  if (event_action === 'acknowledge' || event_action === 'resolve') return null;
  if (event_action !== 'trigger') return "'event_action' is invalid";
  if (links?.some(({ href }) => URL.parse(href) === null)) return "'links' is invalid";
  if (payload === undefined || payload.summary.length === 0 || payload.summary.length > 1_024)
    return "'payload.summary' is invalid";
  return SEVERITIES.includes(payload.severity) && payload.source !== '' ? null : "'payload' is invalid";
}

/** Events about unknown keys are ignored, except triggers. */
function incidentsOf(events: readonly PagerDutyBody[]): Map<string, 'triggered' | 'acknowledged'> {
  const open = new Map<string, 'triggered' | 'acknowledged'>();
  for (const { event_action, dedup_key } of events) {
    if (event_action === 'resolve') open.delete(dedup_key);
    else if (event_action === 'trigger') open.set(dedup_key, open.get(dedup_key) ?? 'triggered');
    else if (open.has(dedup_key)) open.set(dedup_key, 'acknowledged');
  }
  return open;
}
