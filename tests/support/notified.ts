import { onTestFinished } from 'vitest';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import { drainAlerts, keepDelivering } from '../../src/alerting/outbox/delivery.ts';
import { NO_CHANNELS, type AlertSettings } from '../../src/alerting/model/settings.ts';
import { socketlessFetch } from './stand-ins/socketless.ts';
import { standInPagerDuty } from './stand-ins/stand-in-pagerduty.ts';
import { standInSlack } from './stand-ins/stand-in-slack.ts';
import { EMAIL, mailbox, PAGERDUTY, SLACK, type Mailbox } from './alert-harness.ts';
import {
  simulate,
  simulateExchanges,
  type Simulation,
  type SimulationOptions,
  type ExchangesSimulationOptions,
} from './simulated.ts';

const ALERTS: AlertSettings = { ...NO_CHANNELS, instance: 'test', channels: [PAGERDUTY, SLACK, EMAIL] };

/** A simulation with stand-in alert channels that record what they receive. */
export async function simulateWithAlerts(options: SimulationOptions | ExchangesSimulationOptions) {
  const slack = standInSlack();
  const pagerduty = standInPagerDuty({ routingKey: 'k'.repeat(32) });
  let mail: Mailbox | null = null;
  const channels: Pick<SimulationOptions, 'settings' | 'outside'> = {
    settings: { alerts: ALERTS, ...options.settings },
    outside: (clock) => {
      const box = mailbox(clock, seededRandom(options.seed), 0);
      mail = box;
      return {
        fetch: socketlessFetch(clock, { 'http://slack.test': slack.handle, 'http://pagerduty.test': pagerduty.handle }),
        mailTo: () => box.port,
      };
    },
  };
  const simulation: Simulation = await ('venues' in options
    ? simulateExchanges({ ...options, ...channels })
    : simulate({ ...options, ...channels }));
  const stop = new AbortController();
  onTestFinished(() => stop.abort(new Error('the test is over')));
  const { pipeline, clock } = simulation;
  return {
    ...simulation,
    slack,
    pagerduty,
    /** Starts delivery as the daemon does. */
    stay: () => void keepDelivering(pipeline.dispatcher, stop.signal, 5_000).catch(() => undefined),
    /** Delivers due messages as a command does at its end. */
    drain: () => clock.runUntil(drainAlerts(pipeline.dispatcher, stop.signal)),
    pass: (byMs: number) => clock.runUntil(clock.sleep(byMs)),
    slackTitles: () => slack.received.map(({ message }) => message.text),
    pages: () =>
      pagerduty.received.map(({ message }) => `${message.event_action} ${message.payload?.summary ?? ''}`.trim()),
    mails: () => (mail?.received ?? []).map(({ mail: { subject } }) => subject),
  };
}
