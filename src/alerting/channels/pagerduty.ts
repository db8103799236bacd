import { cut, fieldsOf, type Notification } from '../plan/notification.ts';
import type { Channel, Dispatch } from './channel.ts';
import { httpChannel, type HttpChannelPorts } from './http-channel.ts';

// Source: PagerDuty's API schema, Events API v2.
const SUMMARY_CHARS_MAX = 1_024;
const DEDUP_KEY_CHARS_MAX = 255;
const EVENT_BYTES_MAX = 512_000;

interface PagerDutyTarget {
  readonly name: string;
  readonly isDefault: boolean;
  readonly routingKey: string;
  readonly url: string;
}

/** The body of an event. To acknowledge or resolve, the key is enough. */
export interface PagerDutyEvent {
  readonly routing_key: string;
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedup_key: string;
  readonly client?: string;
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  readonly payload?: {
    readonly summary: string;
    readonly severity: Notification['level'];
    readonly source: string;
    readonly timestamp: string;
    readonly component?: string;
    readonly group?: string;
    readonly class?: string;
    readonly custom_details?: Readonly<Record<string, string>>;
  };
}

const ACTIONS: Readonly<Record<Notification['kind'], PagerDutyEvent['event_action']>> = {
  trigger: 'trigger',
  digest: 'trigger',
  acknowledge: 'acknowledge',
  resolve: 'resolve',
  healed: 'resolve',
};

export function pagerDutyEvent({ dedupKey, notification }: Dispatch, routingKey: string): PagerDutyEvent {
  const action = ACTIONS[notification.kind];
  const key = { routing_key: routingKey, event_action: action, dedup_key: dedupKey.slice(0, DEDUP_KEY_CHARS_MAX) };
  if (action !== 'trigger') return key;
  const payload = {
    summary: cut(notification.title, SUMMARY_CHARS_MAX),
    severity: notification.level,
    source: notification.exchange ?? notification.asset ?? notification.instance,
    timestamp: new Date(notification.firedAtMs).toISOString(),
    ...(notification.asset === null ? {} : { component: notification.asset }),
    group: notification.instance,
    ...(notification.code === null ? {} : { class: notification.code }),
  };
  const event = {
    ...key,
    client: 'Candlekeep',
    ...(notification.runbook.startsWith('http') ? { links: [{ href: notification.runbook, text: 'Runbook' }] } : {}),
  };
  const whole = {
    ...event,
    payload: {
      ...payload,
      custom_details: Object.fromEntries([
        ['What', [notification.text, ...notification.lines].join('\n')],
        ...fieldsOf(notification),
      ]) as Record<string, string>,
    },
  };
  return Buffer.byteLength(JSON.stringify(whole)) <= EVENT_BYTES_MAX ? whole : { ...event, payload };
}

export function pagerDutyChannel(
  ports: HttpChannelPorts,
  { name, isDefault, routingKey, url }: PagerDutyTarget,
): Channel {
  return httpChannel(
    ports,
    { name, isDefault, kind: 'pagerduty', paceMs: 0, bundles: false },
    {
      message: (dispatch) => ({
        url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(pagerDutyEvent(dispatch, routingKey)),
      }),
      isTaken: (status, body) => status === 202 && /"status"\s*:\s*"success"/.test(body),
    },
  );
}
