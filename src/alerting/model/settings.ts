import { GOLD_ASSET } from '../../domain/assets.ts';

/** Events API v2. Accounts in the European service region use `https://events.eu.pagerduty.com/v2/enqueue`. */
export const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';

/** One entry of `alerts.channels`, or a channel set by a variable. */
export type ChannelSettings = { readonly name: string; readonly isDefault: boolean } & (
  | { readonly kind: 'slack'; readonly url: string }
  | { readonly kind: 'pagerduty'; readonly routingKey: string; readonly url: string }
  | { readonly kind: 'email'; readonly smtpUrl: string; readonly from: string; readonly to: readonly string[] }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string | null }
);

export interface AlertSettings {
  /** Name of this installation, for channels that several installations share. */
  readonly instance: string;
  /** Address of docs/runbook/; null for the path inside the package. */
  readonly runbookUrl: string | null;
  readonly channels: readonly ChannelSettings[];
  /** Assets whose failure is critical once retries are used up. */
  readonly criticalAssets: readonly string[];
  readonly heartbeatUrl: string | null;
}

export const CRITICAL_ASSETS: readonly string[] = [GOLD_ASSET];

/** No channels: alerts are stored and listed, and no notification is sent. */
export const NO_CHANNELS: AlertSettings = {
  instance: 'candlekeep',
  runbookUrl: null,
  channels: [],
  criticalAssets: CRITICAL_ASSETS,
  heartbeatUrl: null,
};

/** Channels set by single variables, such as SLACK_WEBHOOK_URL. Null where a variable is not set. */
export interface ChannelVariables {
  readonly slackWebhookUrl: string | null;
  readonly pagerdutyRoutingKey: string | null;
  readonly pagerdutyEventsUrl: string | null;
  readonly smtpUrl: string | null;
  readonly emailTo: readonly string[];
  readonly emailFrom: string | null;
  readonly webhookUrl: string | null;
  readonly webhookSecret: string | null;
}

export function defaultChannels(variables: ChannelVariables): ChannelSettings[] {
  const {
    slackWebhookUrl,
    pagerdutyRoutingKey,
    pagerdutyEventsUrl,
    smtpUrl,
    emailTo,
    emailFrom,
    webhookUrl,
    webhookSecret,
  } = variables;
  return [
    ...(pagerdutyRoutingKey === null
      ? []
      : [
          {
            name: 'pagerduty',
            isDefault: true,
            kind: 'pagerduty' as const,
            routingKey: pagerdutyRoutingKey,
            url: pagerdutyEventsUrl ?? PAGERDUTY_URL,
          },
        ]),
    ...(slackWebhookUrl === null
      ? []
      : [{ name: 'slack', isDefault: true, kind: 'slack' as const, url: slackWebhookUrl }]),
    ...(smtpUrl === null || emailTo.length === 0
      ? []
      : [
          {
            name: 'email',
            isDefault: true,
            kind: 'email' as const,
            smtpUrl,
            to: emailTo,
            from: emailFrom ?? emailTo[0] ?? '',
          },
        ]),
    ...(webhookUrl === null
      ? []
      : [{ name: 'webhook', isDefault: true, kind: 'webhook' as const, url: webhookUrl, secret: webhookSecret }]),
  ];
}

/** Every value that gives access to a channel; removed from each text that is sent or stored. */
export const alertSecrets = ({
  channels,
  heartbeatUrl,
}: Pick<AlertSettings, 'channels' | 'heartbeatUrl'>): string[] => [
  ...channels.flatMap(secretsOf),
  ...(heartbeatUrl === null ? [] : [heartbeatUrl]),
];

function secretsOf(settings: ChannelSettings): string[] {
  switch (settings.kind) {
    case 'slack':
      return [settings.url];
    case 'pagerduty':
      return [settings.routingKey];
    case 'email':
      return [settings.smtpUrl];
    case 'webhook':
      return [settings.url, ...(settings.secret === null ? [] : [settings.secret])];
    default:
      return settings satisfies never;
  }
}
