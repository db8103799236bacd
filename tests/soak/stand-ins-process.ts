import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  openEnvironment,
  type SoakEnvironment,
  type EnvironmentReport,
  type EnvironmentOptions,
} from './environment.ts';

/**
 * The stand-ins in their own process: the soak's own process cannot delay their responses, and their memory does not
 * count as a daemon's.
 */
export interface StandInsProcess {
  /** Opens the stand-ins of one data directory and returns their environment variables. */
  open(name: string, options: EnvironmentOptions): Promise<Readonly<Record<string, string>>>;
  endFaults(name: string): Promise<void>;
  report(name: string): Promise<EnvironmentReport>;
  close(): Promise<void>;
}

type Call =
  | { readonly do: 'open'; readonly name: string; readonly options: EnvironmentOptions }
  | { readonly do: 'endFaults' | 'report'; readonly name: string }
  | { readonly do: 'close' };
interface Request {
  readonly id: number;
  readonly call: Call;
}
interface Response {
  readonly id: number;
  readonly result: unknown;
}

export function startStandIns(): StandInsProcess {
  const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, SOAK_STAND_INS: 'yes' } });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let requests = 0;
  child.on('message', ({ id, result }: Response) => {
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  child.on('exit', (exit) => {
    for (const { reject } of waiting.values()) reject(new Error(`the stand-ins ended with exit ${exit}`));
  });
  const request = (call: Call): Promise<unknown> => {
    const response = Promise.withResolvers<unknown>();
    const id = requests++;
    waiting.set(id, response);
    child.send({ id, call } satisfies Request);
    return response.promise;
  };
  return {
    open: async (name, options) => (await request({ do: 'open', name, options })) as Readonly<Record<string, string>>,
    endFaults: async (name) => void (await request({ do: 'endFaults', name })),
    report: async (name) => (await request({ do: 'report', name })) as EnvironmentReport,
    close: async () => {
      await request({ do: 'close' });
      child.disconnect();
    },
  };
}

function serveRequests(): void {
  const environments = new Map<string, SoakEnvironment>();
  const resultOf = async (call: Call): Promise<unknown> => {
    if (call.do === 'close')
      return void (await Promise.all([...environments.values()].map((environment) => environment.close())));
    if (call.do === 'open') {
      const opened = await openEnvironment(call.options);
      environments.set(call.name, opened);
      return opened.env;
    }
    const environment = environments.get(call.name);
    return call.do === 'endFaults' ? environment?.endFaults() : environment?.report();
  };
  process.on('message', ({ id, call }: Request) => {
    void resultOf(call).then((result) => process.send?.({ id, result: result ?? null } satisfies Response));
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.env['SOAK_STAND_INS'] === 'yes') serveRequests();
