import { acknowledgeAlert } from '../../alerting/model/alerts.ts';
import { addSilence, endSilence, type Silence } from '../../alerting/model/silences.ts';
import type { StateAccess } from '../core/pipeline.ts';

/** An acknowledged alert is not repeated. False if no alert with this fingerprint fires. */
export const acknowledge = ({ ports }: Pick<StateAccess, 'ports'>, fingerprint: string, by: string): Promise<boolean> =>
  ports.store.transact(acknowledgeAlert, fingerprint, by, ports.clock.nowMs());

export type SilenceRequest = Pick<Silence, 'exchange' | 'code' | 'asset' | 'reason' | 'author'> & {
  readonly spanMs: number;
};

/** Nobody is notified of matching alerts for `spanMs`; they are still recorded. */
export async function silence(
  { ports }: Pick<StateAccess, 'ports'>,
  { spanMs, ...request }: SilenceRequest,
): Promise<Silence> {
  const nowMs = ports.clock.nowMs();
  const made: Silence = {
    ...request,
    id: ports.ids.next('silence'),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + spanMs,
  };
  await ports.store.transact(addSilence, made);
  return made;
}

/** False if no silence with this id is in force. */
export const unsilence = ({ ports }: Pick<StateAccess, 'ports'>, id: string, by: string): Promise<boolean> =>
  ports.store.transact(endSilence, id, by, ports.clock.nowMs());
