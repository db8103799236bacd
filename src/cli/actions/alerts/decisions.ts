import { SILENCE_MS_MAX } from '../../../alerting/model/silences.ts';
import { nearest } from '../../../configuration/nearest.ts';
import { readAssetNames, readDuration, readExchange, readText, refuse } from '../../../configuration/setting-values.ts';
import { acknowledge, silence, unsilence, type SilenceRequest } from '../../../engine/maintenance/alert-decisions.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { FAULT_CODES, isFaultCode } from '../../../errors/table.ts';
import { isRuleCode, RULE_CODES } from '../../../metrics/rules.ts';
import type { Action, Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openStateSession, type StateSession } from '../../open-session.ts';
import { isoTime, SCHEMA } from '../../output/schema.ts';
import type { Session } from '../../session.ts';
import { silenceDocument } from './silence-document.ts';

const authorOf = ({ io }: Pick<Session, 'io'>): string => io.env['USER'] || 'unknown';

const done = (fields: object, text: string): Outcome => ({
  exit: EXIT.done,
  document: { schema: SCHEMA, ok: true, exit: EXIT.done, ...fields },
  text,
});

export const ack: Action = async (session, _options, [fingerprint = '']) => {
  const { pipeline } = await openStateSession(session, await configure(session));
  const by = authorOf(session);
  const isFiring = await acknowledge(pipeline, fingerprint, by);
  if (!isFiring)
    throw new ConfigurationError({
      where: '<fingerprint>',
      expected: 'an alert that fires (candlekeep alerts list)',
      got: `"${fingerprint}"`,
    });
  return done({ fingerprint, acked_by: by }, `${fingerprint} is acknowledged`);
};

interface SilenceOptions {
  readonly exchange?: string;
  readonly code?: string;
  readonly asset?: string;
  readonly for?: string;
  readonly reason?: string;
  readonly end?: string;
}

export const setSilence: Action<SilenceOptions> = async (session, options) => {
  const configuration = await configure(session);
  const request = options.end === undefined ? requestOf(options, authorOf(session)) : null;
  const open = await openStateSession(session, configuration);
  if (request === null) return endSilence(open, options.end ?? '');
  const made = await silence(open.pipeline, request);
  return done(
    silenceDocument(made),
    `${made.id}: silent until ${isoTime(made.expiresAtMs)}; ` +
      `to end it before: candlekeep alerts silence --end ${made.id}`,
  );
};

async function endSilence(open: StateSession, id: string): Promise<Outcome> {
  const isInForce = await unsilence(open.pipeline, id, authorOf(open));
  if (!isInForce)
    throw new ConfigurationError({
      where: '--end',
      expected: 'a silence in force (candlekeep alerts list)',
      got: `"${id}"`,
    });
  return done({ id }, `${id} is over`);
}

/** @throws ConfigurationError (CONFIG_INVALID) for a silence that matches everything or has no end. */
function requestOf({ exchange, code, asset, reason, ...options }: SilenceOptions, author: string): SilenceRequest {
  if (exchange === undefined && code === undefined && asset === undefined)
    throw new ConfigurationError({
      where: 'candlekeep alerts silence',
      expected: '--exchange, --code or --asset',
      got: 'none: a silence of everything would hide alerts that no one has seen',
    });
  if (code !== undefined && !isFaultCode(code) && !isRuleCode(code))
    refuse(
      '--code',
      'a fault code or a rule (candlekeep policies)',
      code,
      nearest(code, [...FAULT_CODES, ...RULE_CODES]),
    );
  const spanMs = readDuration(options.for, '--for');
  if (spanMs > SILENCE_MS_MAX)
    refuse('--for', `at most ${SILENCE_MS_MAX / 3_600_000}h: a longer silence gets forgotten`, options.for);
  return {
    exchange: exchange === undefined ? null : readExchange(exchange, '--exchange'),
    code: code ?? null,
    asset: asset === undefined ? null : (readAssetNames(asset, '--asset')[0] ?? null),
    reason: readText(reason, '--reason'),
    author,
    spanMs,
  };
}
