import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertLevel } from '../../errors/table.ts';
import { LEVELS } from './levels.ts';
import { routeOf, type ChannelEntry, type ChannelKind } from './routing.ts';

const entry = (kind: ChannelKind, name: string = kind, isDefault = true): ChannelEntry => ({ name, kind, isDefault });
const ALL = (['pagerduty', 'slack', 'email', 'webhook'] as const).map((kind) => entry(kind));
const names = (
  level: AlertLevel,
  {
    channels = ALL,
    down = [],
    tag = '',
  }: { channels?: readonly ChannelEntry[]; down?: readonly string[]; tag?: string } = {},
): string[] =>
  routeOf({ level, tags: tag === '' ? {} : { alert_channel: tag } }, channels, (name) => !down.includes(name)).map(
    ({ name }) => name,
  );

test('each level has its channels', () => {
  expect(names('critical')).toEqual(['pagerduty', 'slack', 'webhook']);
  expect(names('error')).toEqual(['email', 'slack', 'webhook']);
  expect(names('warning')).toEqual(['slack', 'webhook']);
  expect(names('info')).toEqual([]);
});

test('a channel that is down is replaced, but by a pager only when no other channel is notified', () => {
  expect(names('warning', { down: ['slack'] })).toEqual(['webhook', 'email']);
  expect(names('critical', { down: ['pagerduty'] })).toEqual(['slack', 'webhook', 'email']);
  expect(names('error', { down: ['slack'] })).toEqual(['email', 'webhook']);
  expect(names('error', { down: ['email', 'slack', 'webhook'] })).toEqual(['pagerduty']);
});

test('when all channels are down, the alert waits for its own channels', () => {
  expect(names('critical', { down: ALL.map(({ name }) => name) })).toEqual(['pagerduty', 'slack', 'webhook']);
});

test('a single configured channel gets every level, but a warning never becomes a page', () => {
  for (const level of ['critical', 'error', 'warning'] as const) {
    expect(names(level, { channels: [entry('email')] })).toEqual(['email']);
    expect(names(level, { channels: [entry('slack')] })).toEqual(['slack']);
    expect(names(level, { channels: [entry('pagerduty')] })).toEqual(level === 'warning' ? [] : ['pagerduty']);
  }
});

test('entries named by a tag replace the default of their kind; without the tag they get nothing', () => {
  const channels = [...ALL, entry('slack', 'team', false), entry('pagerduty', 'team-pager', false)];
  expect(names('critical', { channels })).toEqual(['pagerduty', 'slack', 'webhook']);
  expect(names('critical', { channels, tag: 'team' })).toEqual(['pagerduty', 'team', 'webhook']);
  expect(names('critical', { channels, tag: 'team, team-pager' })).toEqual(['team-pager', 'team', 'webhook']);
  expect(names('warning', { channels, tag: 'team-pager' })).toEqual(['slack', 'webhook']);
  expect(names('critical', { channels, tag: 'nobody' })).toEqual(['pagerduty', 'slack', 'webhook']);
});

test('no channel is named twice, usable ones are preferred, and a warning never goes to a pager', () => {
  const channels = fc.uniqueArray(
    fc.record({
      kind: fc.constantFrom<ChannelKind>('pagerduty', 'slack', 'email', 'webhook'),
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      isDefault: fc.boolean(),
    }),
    { selector: ({ name }) => name },
  );
  fc.assert(
    fc.property(
      channels,
      fc.subarray(['a', 'b', 'c', 'd', 'e']),
      fc.constantFrom<AlertLevel>(...LEVELS),
      fc.constantFrom('', 'a', 'b,c'),
      (configured, down, level, tag) => {
        const route = routeOf({ level, tags: { alert_channel: tag } }, configured, (name) => !down.includes(name));
        expect(new Set(route.map(({ name }) => name)).size).toBe(route.length);
        if (level === 'warning') expect(route.map(({ kind }) => kind)).not.toContain('pagerduty');
        const isAnyUsable = route.some(({ name }) => !down.includes(name));
        if (isAnyUsable) expect(route.every(({ name }) => !down.includes(name))).toBe(true);
      },
    ),
  );
});
