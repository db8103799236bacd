import type { Random } from '../../src/platform/ports/random.ts';
import { randomInt } from '../../src/platform/seeded-random.ts';

/** One way in which a body is damaged in transit. */
export interface Mutation {
  readonly says: string;
  /**
   * `values`: no number can become another number, so the rows read must be the rows sent. `digits`: one plausible
   * decimal may replace another, which the damaged body alone does not show.
   */
  readonly spoils: 'values' | 'digits';
  readonly apply: (body: string, random: Random) => string;
}

/** Characters that cannot turn one number into another. */
const GARBAGE = ['x', '"', '[', ']', '{', '}', ',', ':', '\\', '\u0000', '\uFFFD', 'N', '<'];
const OTHER_TYPES = ['null', 'true', '"NaN"', '"Infinity"', '{}', '[]', '""', '-1', '1e999'];
const WRAPPERS: readonly (readonly [string, string])[] = [
  ['[', ']'],
  ['{"data":', '}'],
  ['{"result":', '}'],
  ['"', '"'],
  ['{"code":"constructor","data":', '}'],
];

const one = <T>(from: readonly T[], random: Random): T => from[randomInt(random, from.length)] as T;

/** A number or a string of the body. */
const tokenOf = (body: string, random: Random): { readonly at: number; readonly text: string } | null => {
  const tokens = [...body.matchAll(/"[^"]*"|-?\d+(?:\.\d+)?/g)];
  const token = tokens[randomInt(random, Math.max(1, tokens.length))];
  return token === undefined ? null : { at: token.index, text: token[0] };
};

function replaceToken(body: string, random: Random, by: (text: string) => string): string {
  const token = tokenOf(body, random);
  return token === null ? '' : body.slice(0, token.at) + by(token.text) + body.slice(token.at + token.text.length);
}

/** The rows: lists that contain no list. */
const rowsOf = (value: unknown): unknown[][] =>
  Array.isArray(value) && value.some(Array.isArray)
    ? value.flatMap(rowsOf)
    : Array.isArray(value)
      ? [value as unknown[]]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(rowsOf)
        : [];

/** Changes the rows of a JSON body; any other body stays as it is. */
function withRows(body: string, change: (rows: unknown[][]) => void): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return body;
  }
  const rows = rowsOf(parsed).filter((row) => row.length > 1);
  if (rows.length > 0) change(rows);
  return JSON.stringify(parsed);
}

function swap(values: unknown[], others: unknown[], [at, otherAt]: readonly [number, number]): void {
  [values[at], others[otherAt]] = [others[otherAt], values[at]];
}

export const MUTATIONS: readonly Mutation[] = [
  { says: 'cut off', spoils: 'values', apply: (body, random) => body.slice(0, randomInt(random, body.length + 1)) },
  {
    says: 'without its beginning',
    spoils: 'values',
    apply: (body, random) => body.slice(randomInt(random, body.length + 1)),
  },
  {
    says: 'a character too many',
    spoils: 'values',
    apply: (body, random) => {
      const at = randomInt(random, body.length + 1);
      return body.slice(0, at) + one(GARBAGE, random) + body.slice(at);
    },
  },
  {
    says: 'a character garbled',
    spoils: 'values',
    apply: (body, random) => {
      const at = randomInt(random, body.length + 1);
      return body.slice(0, at) + one(GARBAGE, random) + body.slice(at + 1);
    },
  },
  {
    says: 'a value of another type',
    spoils: 'values',
    apply: (body, random) => replaceToken(body, random, () => one(OTHER_TYPES, random)),
  },
  {
    says: 'a number as a string, a string as a number',
    spoils: 'values',
    apply: (body, random) =>
      replaceToken(body, random, (text) => (text.startsWith('"') ? text.slice(1, -1) : `"${text}"`)),
  },
  {
    says: 'in another container',
    spoils: 'values',
    apply: (body, random) => {
      const [before, after] = one(WRAPPERS, random);
      return before + body + after;
    },
  },
  {
    says: 'the end twice',
    spoils: 'values',
    apply: (body, random) => body + body.slice(randomInt(random, body.length + 1)),
  },
  {
    says: 'a row twice',
    spoils: 'values',
    apply: (body, random) =>
      withRows(body, (rows) => {
        const row = one(rows, random);
        row.splice(0, row.length, ...one(rows, random));
      }),
  },
  {
    says: 'a field too few',
    spoils: 'values',
    apply: (body, random) =>
      withRows(body, (rows) => {
        const row = one(rows, random);
        row.splice(randomInt(random, row.length), 1);
      }),
  },
  {
    says: 'a bit flipped',
    spoils: 'digits',
    apply: (body, random) => {
      const bytes = Buffer.from(body);
      if (bytes.length > 0) bytes[randomInt(random, bytes.length)]! ^= 1 << randomInt(random, 8);
      return bytes.toString('utf8');
    },
  },
  {
    says: 'a segment twice',
    spoils: 'digits',
    apply: (body, random) => {
      const at = randomInt(random, body.length + 1);
      return body.slice(0, at) + body.slice(Math.max(0, at - 1 - randomInt(random, 80)));
    },
  },
  {
    says: 'a segment missing',
    spoils: 'digits',
    apply: (body, random) => {
      const at = randomInt(random, body.length + 1);
      return body.slice(0, at) + body.slice(at + 1 + randomInt(random, 80));
    },
  },
  {
    says: 'two fields of a row swapped',
    spoils: 'digits',
    apply: (body, random) =>
      withRows(body, (rows) => {
        const row = one(rows, random);
        swap(row, row, [randomInt(random, row.length), randomInt(random, row.length)]);
      }),
  },
  {
    says: 'a field of two rows swapped',
    spoils: 'digits',
    apply: (body, random) =>
      withRows(body, (rows) => {
        const [row, other] = [one(rows, random), one(rows, random)];
        const at = randomInt(random, row.length);
        swap(row, other, [at, at]);
      }),
  },
  {
    says: 'another number',
    spoils: 'digits',
    apply: (body, random) => replaceToken(body, random, (text) => text.replace(/\d/, String(randomInt(random, 10)))),
  },
];

/** Every decimal of a body that is JSON, as number or as text. */
export function decimalsIn(body: string): ReadonlySet<number> {
  const decimals = new Set<number>();
  JSON.parse(body, (_name, value: unknown) => {
    if (typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')) decimals.add(Number(value));
    return value;
  });
  return decimals;
}
