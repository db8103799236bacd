import type { Silence } from '../../../alerting/model/silences.ts';
import { isoTime } from '../../output/schema.ts';

export const silenceDocument = ({ createdAtMs, expiresAtMs, ...silence }: Silence): object => ({
  ...silence,
  created_at: isoTime(createdAtMs),
  expires_at: isoTime(expiresAtMs),
});
