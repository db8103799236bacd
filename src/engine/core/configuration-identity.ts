import { createHash } from 'node:crypto';
import type { Settings } from './settings.ts';

/**
 * Identifies the effective configuration, so that a changed one lifts a halt. Secrets enter as hashes. Alert
 * settings and tags are left out: they change nothing for an exchange.
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
