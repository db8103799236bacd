import type { Clock } from '../../platform/ports/clock.ts';
import type { MailPort } from '../../platform/ports/mail.ts';
import type { Channel } from '../channels/channel.ts';
import { emailChannel } from '../channels/email.ts';
import { pagerDutyChannel } from '../channels/pagerduty.ts';
import { slackChannel } from '../channels/slack.ts';
import { webhookChannel } from '../channels/webhook.ts';
import type { ChannelSettings } from '../model/settings.ts';

export interface ChannelPorts {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  /** A mail port for an SMTP address. */
  readonly mailTo: (smtpUrl: string) => MailPort;
}

export const openChannels = (ports: ChannelPorts, channels: readonly ChannelSettings[]): Channel[] =>
  channels.map((settings) => openChannel(ports, settings));

function openChannel(ports: ChannelPorts, settings: ChannelSettings): Channel {
  switch (settings.kind) {
    case 'slack':
      return slackChannel(ports, settings);
    case 'pagerduty':
      return pagerDutyChannel(ports, settings);
    case 'email':
      return emailChannel({ clock: ports.clock, mail: ports.mailTo(settings.smtpUrl) }, settings);
    case 'webhook':
      return webhookChannel(ports, settings);
    default:
      return settings satisfies never;
  }
}
