import type { SqlValue, Operation, Store } from './ports/store.ts';
import type { Redact } from './ports/redact.ts';

const MASK = '********';

/** Shorter values would match ordinary text. Unit: characters. */
const SECRET_CHARS_MIN = 6;

/** Shorter paths (`/alerts`) are no keys. Unit: characters. */
const PATH_CHARS_MIN = 12;

/** From this length on a path segment is a key (Slack's has 24 characters, a monitor's UUID 36). Unit: characters. */
const SEGMENT_CHARS_MIN = 16;

/** Query parameters whose values are always secret. */
const SECRET_PARAMETERS = /([?&](?:signature|sign|api_?key|token|access_token|secret|password)=)[^&\s"'\\]+/gi;

/**
 * Replaces every registered value in each form it may take: plain, inside JSON, inside an address, and in the header of
 * basic authentication. Redaction by field name would miss secrets in messages, causes and addresses.
 */
export function redactorOf(secrets: Iterable<string>): Redact {
  const forms = [...new Set([...secrets].flatMap(formsOf))]
    .filter((form) => form.length >= SECRET_CHARS_MIN)
    .toSorted((a, b) => b.length - a.length);
  const pattern = forms.length === 0 ? null : new RegExp(forms.map((form) => RegExp.escape(form)).join('|'), 'g');
  return (text) => {
    const masked = pattern === null ? text : text.replace(pattern, MASK);
    return masked.replace(SECRET_PARAMETERS, `$1${MASK}`);
  };
}

function formsOf(secret: string): string[] {
  const values = [secret, ...partsOf(secret)];
  return values.flatMap((value) => [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
  ]);
}

/** The parts of an address that grant access: password, path with query, and keys in the path, encoded and decoded. */
function partsOf(secret: string): string[] {
  const url = URL.parse(secret);
  if (url === null || url.host === '') return [];
  const [user, password] = [decoded(url.username), decoded(url.password)];
  const basic =
    password === ''
      ? []
      : [
          Buffer.from(`${user}:${password}`).toString('base64'),
          Buffer.from(`\0${user}\0${password}`).toString('base64'),
        ];
  const paths = [`${url.pathname}${url.search}`, url.pathname].filter((path) => path.length >= PATH_CHARS_MIN);
  const segments = url.pathname.split('/').filter((segment) => segment.length >= SEGMENT_CHARS_MIN);
  return [url.href, password, url.password, ...basic, ...paths, ...segments, ...segments.map(decoded)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text; // a lone % is part of the password
    throw error;
  }
}

/** The same plain JSON with every text redacted. */
export const redacted = <T>(value: T, redact: Redact): T =>
  JSON.parse(JSON.stringify(value), (_key, part: unknown) => (typeof part === 'string' ? redact(part) : part)) as T;

/** Redacts the secrets registered so far: the first log lines come before the configuration is read. */
export interface SecretKeeper {
  keep(secrets: Iterable<string>): void;
  readonly redact: Redact;
}

export function secretKeeper(): SecretKeeper {
  const kept = new Set<string>();
  let redact = redactorOf(kept);
  return {
    keep: (secrets) => {
      for (const secret of secrets) kept.add(secret);
      redact = redactorOf(kept);
    },
    redact: (text) => redact(text),
  };
}

/** The same store; every text written to it is redacted first. */
export function redactedStore(store: Store, redact: (text: string) => string): Store {
  const clean = (value: SqlValue): SqlValue => (typeof value === 'string' ? redact(value) : value);
  function* cleaned<T>(operation: Operation<T>): Operation<T> {
    let step = operation.next();
    try {
      while (step.done !== true)
        step = operation.next(yield { sql: step.value.sql, values: step.value.values.map(clean) });
      return step.value;
    } finally {
      if (step.done !== true) operation.return(undefined as T);
    }
  }
  return {
    transact: (operation, ...args) => store.transact(() => cleaned(operation(...args))),
    read: (operation, ...args) => store.read(operation, ...args),
    damages: () => store.damages(),
    close: () => store.close(),
  };
}
