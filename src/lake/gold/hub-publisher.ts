import { createHash } from 'node:crypto';
import type { CommitOperation, ListFileEntry } from '@huggingface/hub';
import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Log } from '../../platform/ports/log.ts';
import type { Random } from '../../platform/ports/random.ts';
import { retryPolicyOf } from '../../resilience/retry/decide.ts';
import { attemptsOf, outcomeOf, retry, waitMsOf } from '../../resilience/retry/retry.ts';
import { parseRetryAfter } from '../../resilience/retry/retry-after.ts';
import { PublishError } from '../../errors/errors.ts';
import { classify } from '../../errors/classify.ts';
import { ruleOf } from '../../errors/table.ts';
import { DATA_FOLDER, type GoldFile } from './dataset.ts';

/** Target, credentials and limits of a publication. */
export interface HubTarget {
  /** `owner/name` of a dataset repository; it is made, private, when it does not exist. */
  readonly repo: string;
  readonly token: string;
  /** Origin of the Hub. */
  readonly endpoint: string;
}

export interface HubPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof globalThis.fetch;
  readonly log: Log;
  /** Called for every failed attempt before any wait, so that the fault log can keep it. */
  readonly onFailure: (failure: PublishFailure) => Promise<void>;
}

export interface PublishFailure {
  readonly fault: PublishError;
  readonly tries: number;
  readonly triesMax: number;
  /** `retry`, or why no further attempt follows. */
  readonly decision: ReturnType<typeof outcomeOf>;
  readonly waitMs: number | null;
}

export interface Publication {
  readonly result: 'committed' | 'unchanged';
  /** The repository's head afterwards. */
  readonly head: string;
  readonly filesChanged: number;
}

/** For one call to the Hub, its upload included. Unit: milliseconds. */
const CALL_TIMEOUT_MS = 120_000;
const BRANCH = 'main';
/** Statuses that a retry cannot change. */
const FINAL_STATUSES = new Set([400, 401, 403, 404, 405, 410, 413, 422]);

/**
 * Makes the repository hold exactly `files`, and leaves files outside `data/` that are not ours, with one commit
 * or with none when nothing differs. Each attempt reads the head again and names it as parent, so a commit whose
 * response was lost is recognised and never made twice.
 * @throws PublishError (PUBLISH_FAILED) when the attempts are exhausted or the Hub refuses for good.
 */
export async function publishDataset(
  ports: HubPorts,
  target: HubTarget,
  files: readonly GoldFile[],
  signal: AbortSignal,
): Promise<Publication> {
  const hub = await hubClient(ports, target, signal);
  let wasCommitSent = false;
  const publish = async (): Promise<Publication> => {
    const { head, operations } = await planCommit(hub, files);
    if (operations.length === 0) return { result: wasCommitSent ? 'committed' : 'unchanged', head, filesChanged: 0 };
    wasCommitSent = true;
    return { result: 'committed', head: await hub.commit(head, operations), filesChanged: operations.length };
  };
  const attempts = attemptsOf(publish, {
    ...ports,
    faultOf: (error) => faultOf(error, target, hub.hintMs()),
    policyOf: ({ facts }) => (facts.retryable ? retryPolicyOf('PUBLISH_FAILED') : null),
    hintMsOf: ({ facts }) => facts.retryAfterMs,
    signal,
  });
  const result = await retry(
    attempts,
    {
      clock: ports.clock,
      log: ports.log,
      onFailure: ({ fault, decision }, tries) =>
        ports.onFailure({
          fault,
          tries,
          triesMax: ruleOf('PUBLISH_FAILED').triesMax,
          decision: outcomeOf(decision),
          waitMs: waitMsOf(decision),
        }),
      logFields: ({ fault }) => ({ status: fault.facts.status }),
    },
    signal,
  );
  if (!result.ok) throw result.last.fault;
  return result.value;
}

interface HubClient {
  head(): Promise<string>;
  list(): Promise<readonly ListFileEntry[]>;
  /** Returns the new head. */
  commit(parent: string, operations: readonly CommitOperation[]): Promise<string>;
  /** The wait that the last refusal requires. */
  hintMs(): number | null;
}

async function hubClient(
  ports: HubPorts,
  { repo, token, endpoint }: HubTarget,
  signal: AbortSignal,
): Promise<HubClient> {
  const { commitIter, createRepo, datasetInfo, listFiles, HubApiError } = await import('@huggingface/hub');
  let hint: number | null = null;
  const fetch = limitedFetch(ports, signal, (statedMs) => {
    hint = statedMs;
  });
  const common = { hubUrl: endpoint, accessToken: token, fetch };
  const designation = { type: 'dataset', name: repo } as const;
  const readHead = async (): Promise<string> =>
    (await datasetInfo({ ...common, name: repo, revision: BRANCH, additionalFields: ['sha'] })).sha;
  return {
    hintMs: () => hint,
    head: async () => {
      try {
        return await readHead();
      } catch (error) {
        if (!(error instanceof HubApiError) || error.statusCode !== 404) throw error;
        await createRepo({ ...common, repo: designation, private: true });
        return readHead();
      }
    },
    list: () => Array.fromAsync(listFiles({ ...common, repo: designation, revision: BRANCH, recursive: true })),
    commit: async (parentCommit, operations) => {
      const steps = commitIter({
        ...common,
        repo: designation,
        branch: BRANCH,
        parentCommit,
        operations: [...operations],
        title: 'Update candles',
        useXet: false,
        abortSignal: signal,
      });
      for (let step = await steps.next(); ; step = await steps.next()) {
        if (step.done !== true) continue;
        if (step.value === undefined) throw new TypeError('the Hub client returned no commit');
        return step.value.commit.oid;
      }
    },
  };
}

/** The client has no time limit and hides headers: every call gets a limit, and the hint of a refusal is kept. */
function limitedFetch(
  { clock, fetch }: HubPorts,
  signal: AbortSignal,
  onHint: (hintMs: number | null) => void,
): typeof globalThis.fetch {
  const timeoutError = (): Error => Object.assign(new Error('the Hub did not answer in time'), { code: 'ETIMEDOUT' });
  return async (input, init) => {
    const response = await withTimeLimit(
      clock,
      { limitMs: CALL_TIMEOUT_MS, timeoutError, outer: signal },
      (callSignal) => fetch(input, { ...init, signal: callSignal }),
    );
    onHint(response.ok ? null : hintOf(response.headers, clock.nowMs()));
    return response;
  };
}

/** Retry-After, or the seconds left of a used-up window: `RateLimit: "api";r=0;t=42`. */
function hintOf(headers: Headers, nowMs: number): number | null {
  const stated = parseRetryAfter(headers.get('retry-after') ?? undefined, nowMs);
  const windowS = /;\s*r=0\s*;\s*t=(\d{1,6})/.exec(headers.get('ratelimit') ?? '')?.[1];
  return windowS === undefined ? stated : Math.max(stated ?? 0, (Number(windowS) + 1) * 1_000);
}

async function planCommit(
  hub: HubClient,
  files: readonly GoldFile[],
): Promise<{ head: string; operations: CommitOperation[] }> {
  const head = await hub.head();
  const remote = new Map(
    (await hub.list()).filter((entry) => entry.type === 'file').map((entry) => [entry.path, entry]),
  );
  const made = new Set(files.map((file) => file.path));
  const changed = files.filter((file) => !isSame(file, remote.get(file.path)));
  const stale = [...remote.keys()].filter((path) => path.startsWith(DATA_FOLDER) && !made.has(path));
  return {
    head,
    operations: [
      ...changed.map(
        ({ path, bytes }): CommitOperation => ({
          operation: 'addOrUpdate',
          path,
          content: new Blob([Buffer.from(bytes)]),
        }),
      ),
      ...stale.map((path): CommitOperation => ({ operation: 'delete', path })),
    ],
  };
}

/** Large files are identified by sha256, small ones by git's blob hash. */
function isSame(file: GoldFile, remote: ListFileEntry | undefined): boolean {
  if (remote === undefined) return false;
  if (remote.lfs) return remote.lfs.oid === file.sha256;
  return remote.oid === createHash('sha1').update(`blob ${file.bytes.length}\0`).update(file.bytes).digest('hex');
}

function faultOf(error: unknown, { repo }: HubTarget, retryAfterMs: number | null): PublishError {
  const status = statusOf(error);
  const isWire = Error.isError(error) && (error.name === 'TypeError' ? Error.isError(error.cause) : 'code' in error);
  if (status === null && !isWire && classify(error).verdict === 'defect') throw error;
  const says = status === null ? 'cannot be reached' : `answered ${status}`;
  const retryable = status === null || !FINAL_STATUSES.has(status);
  return new PublishError(
    `the Hub ${says} while publishing ${repo}`,
    { repo, status, retryAfterMs, retryable },
    { cause: error },
  );
}

const statusOf = (error: unknown): number | null =>
  Error.isError(error) && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null;
