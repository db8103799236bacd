import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  openEnvironment,
  type SoakEnvironment,
  type EnvironmentReport,
  type EnvironmentOptions,
} from './environment.ts';

/**
 * The stand-ins in a process of their own: they answer on time whatever the soak's own process does,
 * and their memory is nobody's but theirs.
 */
export interface StandInsProcess {
  /** Opens the stand-ins of one data directory; their variables. */
  open(name: string, wish: EnvironmentOptions): Promise<Readonly<Record<string, string>>>;
  calm(name: string): Promise<void>;
  report(name: string): Promise<EnvironmentReport>;
  close(): Promise<void>;
}

type Question =
  | { readonly ask: 'open'; readonly name: string; readonly wish: EnvironmentOptions }
  | { readonly ask: 'calm' | 'report'; readonly name: string }
  | { readonly ask: 'close' };
interface Asked {
  readonly at: number;
  readonly question: Question;
}
interface Answer {
  readonly at: number;
  readonly response: unknown;
}

export function startStandIns(): StandInsProcess {
  const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, SOAK_STAND_INS: 'yes' } });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  child.on('message', ({ at, response: answer }: Answer) => {
    waiting.get(at)?.resolve(answer);
    waiting.delete(at);
  });
  child.on('exit', (exit) => {
    for (const { reject } of waiting.values()) reject(new Error(`the stand-ins ended with exit ${exit}`));
  });
  const ask = (question: Question): Promise<unknown> => {
    const answered = Promise.withResolvers<unknown>();
    const at = asked++;
    waiting.set(at, answered);
    child.send({ at, question } satisfies Asked);
    return answered.promise;
  };
  return {
    open: async (name, wish) => (await ask({ ask: 'open', name, wish })) as Readonly<Record<string, string>>,
    calm: async (name) => void (await ask({ ask: 'calm', name })),
    report: async (name) => (await ask({ ask: 'report', name })) as EnvironmentReport,
    close: async () => {
      await ask({ ask: 'close' });
      child.disconnect();
    },
  };
}

function serveQuestions(): void {
  const scenes = new Map<string, SoakEnvironment>();
  const response = async (question: Question): Promise<unknown> => {
    if (question.ask === 'close') return void (await Promise.all([...scenes.values()].map((scene) => scene.close())));
    if (question.ask === 'open') {
      const scene = await openEnvironment(question.wish);
      scenes.set(question.name, scene);
      return scene.env;
    }
    const scene = scenes.get(question.name);
    return question.ask === 'calm' ? scene?.calm() : scene?.report();
  };
  process.on('message', ({ at, question }: Asked) => {
    void response(question).then((own) => process.send?.({ at, response: own ?? null } satisfies Answer));
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.env['SOAK_STAND_INS'] === 'yes') serveQuestions();
