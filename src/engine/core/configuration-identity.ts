import { createHash } from 'node:crypto';
import type { Settings } from './settings.ts';

/**
 * Tells whether the effective configuration is still the one a durable stop was given under; secrets go in
 * as their hashes. Whom alerts are sent to and what runs are tagged with changes nothing for an exchange.
 */
export function configurationIdentity({
  markets,
  hub,
  network,
  alerts: _alerts,
  tags: _tags,
  ...plain
}: Settings): string {
  const secrets = {
    hub: hub === null ? null : { ...hub, token: sha256(hub.token) },
    network: sha256(JSON.stringify(network)),
  };
  return sha256(JSON.stringify({ ...plain, markets: [...markets], ...secrets }));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
