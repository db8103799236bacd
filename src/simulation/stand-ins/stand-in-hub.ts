import { createHash } from 'node:crypto';
import { faultChooser, NO_FAULTS, type FaultPlan, type FaultSpec } from '../fault-plan.ts';
import { brokenReply, type ErrorBody } from './broken-response.ts';
import { jsonReply, type ResponseReply, type StandInHandler, type StandInReply, type StandInRequest } from './reply.ts';

/** One commit of the stand-in's repository. */
export interface HubCommit {
  readonly oid: string;
  readonly title: string;
  /** Content by path after this commit. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface StandInHub {
  readonly handle: StandInHandler;
  /** Oldest first; the first is the empty initial commit. */
  readonly commits: readonly HubCommit[];
  readonly log: readonly { readonly method: string; readonly path: string; readonly status: number }[];
  plan(plan: FaultPlan): void;
}

export interface HubOptions {
  readonly repo: string;
  readonly token: string;
  /** False: the repository has to be created first. */
  readonly exists?: boolean;
  readonly plan?: FaultPlan;
  /** This many commits are applied, but the connection is reset instead of a response. */
  readonly commitsLost?: number;
}

/** Larger files go through LFS instead of the commit; the real Hub decides by size and type. Unit: bytes. */
const REGULAR_BYTES_MAX = 10_000;

/** The part of the Hub's API that publishing a dataset needs. Source: the client's requests, recorded on loopback. */
export function standInHub(options: HubOptions): StandInHub {
  const commits: HubCommit[] =
    options.exists === false ? [] : [{ oid: oidOf('', []), title: 'initial commit', files: new Map() }];
  const objects = new Map<string, Uint8Array>();
  const log: { method: string; path: string; status: number }[] = [];
  let choose = faultChooser(options.plan ?? NO_FAULTS);
  let commitsToLose = options.commitsLost ?? 0;
  const repository: Repository = { options, commits, objects };

  const handle = (request: StandInRequest, nowMs: number): StandInReply => {
    const fault = choose({ path: request.path, candles: null, nowMs });
    const reply = fault === null ? response(repository, request) : faulty(repository, request, { fault, nowMs });
    const isLost =
      request.path.includes('/commit/') && reply.kind === 'answer' && reply.status === 200 && commitsToLose > 0;
    if (isLost) commitsToLose -= 1;
    log.push({
      method: request.method,
      path: request.path,
      status: isLost || reply.kind !== 'answer' ? 0 : reply.status,
    });
    return isLost ? { kind: 'reset' } : reply;
  };
  return {
    handle,
    commits,
    log,
    plan: (plan) => {
      choose = faultChooser(plan);
    },
  };
}

interface Repository {
  readonly options: HubOptions;
  readonly commits: HubCommit[];
  readonly objects: Map<string, Uint8Array>;
}

const errorBody: ErrorBody = ({ message }) => ({ error: message });

function faulty(
  repository: Repository,
  request: StandInRequest,
  { fault, nowMs }: { fault: FaultSpec; nowMs: number },
): StandInReply {
  return fault.kind === 'status'
    ? brokenReply(jsonReply(200, {}), fault, { nowMs, errorBody })
    : brokenReply(response(repository, request), fault, { nowMs, errorBody });
}

const refuse = (status: number, code: string, message: string): ResponseReply =>
  jsonReply(status, { error: message }, { 'x-error-code': code, 'x-error-message': message });

function response(repository: Repository, request: StandInRequest): ResponseReply {
  const { options, commits } = repository;
  const { method, path } = request;
  if (request.headers['authorization'] !== `Bearer ${options.token}` && !path.startsWith('/lfs/'))
    return refuse(401, 'Unauthorized', 'Invalid credentials');
  if (path === '/api/repos/create' && method === 'POST') return createRepository(repository);
  const api = `/api/datasets/${options.repo}`;
  if (
    commits.length === 0 ||
    !(path.startsWith(api) || path.startsWith('/lfs/') || path.startsWith(`/datasets/${options.repo}`))
  )
    return refuse(404, 'RepoNotFound', 'Repository not found');
  if (path.startsWith('/lfs/')) return storeObject(repository, request);
  if (path.endsWith('/info/lfs/objects/batch')) return lfsBatch(repository, request);
  if (path.startsWith(`${api}/preupload/`)) return preupload(request);
  if (path.startsWith(`${api}/tree/`)) return tree(repository);
  if (path.startsWith(`${api}/commit/`) && method === 'POST') return commit(repository, request);
  if (path === api || path.startsWith(`${api}/revision/`))
    return jsonReply(200, {
      _id: 'stand-in',
      id: options.repo,
      sha: head(repository).oid,
      private: true,
      gated: false,
      downloads: 0,
      likes: 0,
      lastModified: '2024-01-01T00:00:00.000Z',
    });
  return refuse(404, 'EntryNotFound', 'Not found');
}

const head = ({ commits }: Repository): HubCommit => commits.at(-1) as HubCommit;
const oidOf = (parent: string, files: Iterable<readonly [string, Uint8Array]>): string => {
  const hash = createHash('sha1').update(parent);
  for (const [path, bytes] of files) hash.update(path).update(bytes);
  return hash.digest('hex');
};
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function createRepository({ options, commits }: Repository): ResponseReply {
  if (commits.length > 0) return refuse(409, 'RepoExists', 'You already created this dataset repo');
  commits.push({ oid: oidOf('', []), title: 'initial commit', files: new Map() });
  return jsonReply(200, { url: `/datasets/${options.repo}`, name: options.repo, id: 'stand-in' });
}

const bodyOf = (request: StandInRequest): unknown => JSON.parse(Buffer.from(request.body).toString('utf8')) as unknown;

function preupload(request: StandInRequest): ResponseReply {
  const { files } = bodyOf(request) as { files: readonly { path: string; size: number }[] };
  return jsonReply(200, {
    files: files.map(({ path, size }) => ({
      path,
      uploadMode: size > REGULAR_BYTES_MAX ? 'lfs' : 'regular',
      shouldIgnore: false,
    })),
  });
}

function lfsBatch({ objects }: Repository, request: StandInRequest): ResponseReply {
  const { objects: requested } = bodyOf(request) as { objects: readonly { oid: string; size: number }[] };
  const origin = `http://${request.headers['host'] ?? 'hub.test'}`;
  return jsonReply(200, {
    transfer: 'basic',
    objects: requested.map(({ oid, size }) =>
      objects.has(oid)
        ? { oid, size }
        : { oid, size, actions: { upload: { href: `${origin}/lfs/${oid}`, header: {} } } },
    ),
  });
}

function storeObject({ objects }: Repository, request: StandInRequest): ResponseReply {
  const oid = request.path.slice('/lfs/'.length);
  if (sha256Of(request.body) !== oid) return refuse(400, 'ShaMismatch', 'the content does not have this sha256');
  objects.set(oid, request.body);
  return jsonReply(200, {});
}

function tree(repository: Repository): ResponseReply {
  return jsonReply(
    200,
    [...head(repository).files].map(([path, bytes]) => {
      const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
      return {
        type: 'file',
        path,
        size: bytes.length,
        oid,
        ...(bytes.length > REGULAR_BYTES_MAX
          ? { lfs: { oid: sha256Of(bytes), size: bytes.length, pointerSize: 130 } }
          : {}),
      };
    }),
  );
}

type CommitLine =
  | { readonly key: 'header'; readonly value: { readonly summary: string; readonly parentCommit?: string } }
  | {
      readonly key: 'file';
      readonly value: { readonly path: string; readonly content: string; readonly encoding?: string };
    }
  | { readonly key: 'lfsFile'; readonly value: { readonly path: string; readonly oid: string } }
  | { readonly key: 'deletedFile'; readonly value: { readonly path: string } };

function commit(repository: Repository, request: StandInRequest): ResponseReply {
  const lines = Buffer.from(request.body)
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CommitLine);
  const parent = head(repository);
  const files = new Map(parent.files);
  let title = '';
  for (const line of lines) {
    switch (line.key) {
      case 'header':
        if (line.value.parentCommit !== undefined && line.value.parentCommit !== parent.oid)
          return refuse(412, 'CommitConflict', 'A commit has happened since. Please refresh and try again.');
        title = line.value.summary;
        break;
      case 'file':
        files.set(
          line.value.path,
          Buffer.from(line.value.content, line.value.encoding === 'base64' ? 'base64' : 'utf8'),
        );
        break;
      case 'lfsFile': {
        const stored = repository.objects.get(line.value.oid);
        if (stored === undefined) return refuse(400, 'LfsMissing', `the object ${line.value.oid} was not uploaded`);
        files.set(line.value.path, stored);
        break;
      }
      case 'deletedFile':
        files.delete(line.value.path);
        break;
      default:
        line satisfies never;
    }
  }
  const oid = oidOf(parent.oid, files);
  repository.commits.push({ oid, title, files });
  return jsonReply(200, {
    success: true,
    commitOid: oid,
    commitUrl: `/datasets/${repository.options.repo}/commit/${oid}`,
    hookOutput: '',
  });
}
