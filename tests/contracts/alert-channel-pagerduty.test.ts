import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StandInReply } from '../../src/simulation/stand-ins/reply.ts';
import { pagerDutyEvent } from '../../src/alerting/channels/pagerduty.ts';
import { standInPagerDuty } from '../support/stand-ins/stand-in-pagerduty.ts';
import {
  anyNotification,
  describeHttpChannel,
  dispatch,
  NOTIFICATION,
  requestOf,
  ROUTING_KEY,
  type HttpCase,
} from './alert-channel-contract.ts';

const PAGERDUTY: HttpCase = {
  kind: 'pagerduty',
  standIn: () => standInPagerDuty({ routingKey: ROUTING_KEY }),
  settings: (origin) => ({
    name: 'pager',
    isDefault: true,
    kind: 'pagerduty',
    routingKey: ROUTING_KEY,
    url: `${origin}/v2/enqueue`,
  }),
  acceptsAnyBody: false,
  acceptedStatus: 202,
};

describeHttpChannel(PAGERDUTY);

test('an event has its source, severity and component, and all other facts in its details', () => {
  expect(pagerDutyEvent(dispatch(), ROUTING_KEY)).toEqual({
    routing_key: ROUTING_KEY,
    event_action: 'trigger',
    dedup_key: dispatch().dedupKey,
    client: 'Candlekeep',
    links: [{ href: NOTIFICATION.runbook, text: 'Runbook' }],
    payload: {
      summary: NOTIFICATION.title,
      severity: 'error',
      source: 'binance',
      timestamp: '2024-07-01T00:00:00.000Z',
      component: 'bronze_binance_ohlcv',
      group: 'test',
      class: 'REQUEST_REJECTED',
      custom_details: expect.objectContaining({
        What: NOTIFICATION.text,
        Run: 'run_1',
        Safe: NOTIFICATION.safe,
        Next: NOTIFICATION.next,
        Command: NOTIFICATION.command,
        Runbook: NOTIFICATION.runbook,
      }) as unknown,
    },
  });
  expect(pagerDutyEvent(dispatch({ title: 'x'.repeat(2_000) }), ROUTING_KEY).payload?.summary).toHaveLength(1_024);
});

test('acknowledge and resolve events have the same key and nothing else', () => {
  for (const [kind, action] of [
    ['acknowledge', 'acknowledge'],
    ['resolve', 'resolve'],
    ['healed', 'resolve'],
  ] as const) {
    expect(pagerDutyEvent(dispatch({ kind }), ROUTING_KEY)).toEqual({
      routing_key: ROUTING_KEY,
      event_action: action,
      dedup_key: dispatch().dedupKey,
    });
  }
  expect(pagerDutyEvent(dispatch({ runbook: 'docs/runbook/X.md' }), ROUTING_KEY)).not.toHaveProperty('links');
});

test('an event over 512 kB is sent without its details', () => {
  const big = pagerDutyEvent(dispatch({ lines: ['x'.repeat(600_000)] }), ROUTING_KEY);
  expect(big.payload).not.toHaveProperty('custom_details');
  expect(big.payload?.summary).toBe(NOTIFICATION.title);
});

test('every alert keeps the limits of PagerDuty', () => {
  fc.assert(
    fc.property(anyNotification, (notification) => {
      const reply = standInPagerDuty({ routingKey: ROUTING_KEY }).handle(
        requestOf('/v2/enqueue', pagerDutyEvent({ ...dispatch(), notification }, ROUTING_KEY)),
        0,
      ) as StandInReply;
      expect(reply.kind === 'answer' && `${reply.status} ${Buffer.from(reply.body).toString()}`).toMatch(/^202 /);
    }),
    { numRuns: 60 },
  );
});
