import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nameOf, readSource, walk } from './source.ts';

const ROOT = join(import.meta.dirname, '../..');
const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readSource(`src/${path}`, readFileSync(join(ROOT, 'src', path), 'utf8')));

/** `stopOrder`, `stop_order` and `stop order` are the same two words. */
const wordsOf = (text: string): string =>
  ` ${text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim()} `;

const TERMS = [...readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8').matchAll(/^\| \*\*([^*]+)\*\*/gm)].map(
  ([, term = '']) => term,
);

test('every word of the glossary is used in the source', () => {
  expect(TERMS.length).toBeGreaterThan(40);
  const text = wordsOf(sources.map((source) => source.text).join('\n'));
  expect(TERMS.filter((term) => !text.includes(wordsOf(term)))).toEqual([]);
});

/** Words of our own for which the field has others. Sentences may use them as English; names may not. */
const FORMER = [
  'passage',
  'outlook',
  'rehearsal',
  'tape',
  'tapes',
  'scrub',
  'doubt',
  'stop order',
  'sight',
  'telling',
  'story',
  'checkup',
  'at once',
  'inquiry',
  'appointment',
  'kernel',
  'taxonomy',
];

/** Names in the source that contain a former word, as `word: name`. */
const formerNames = (names: Iterable<string>): string[] =>
  [...names].flatMap((name) =>
    FORMER.filter((word) => wordsOf(name).includes(` ${word} `)).map((word) => `${word}: ${name}`),
  );

test('no name in the source is one of the words that were replaced', () => {
  const names = new Set(
    sources.flatMap(({ program }) =>
      [...walk(program)].flatMap(({ node }) => (node.type === 'Identifier' ? [nameOf(node)] : [])),
    ),
  );
  expect(names.size).toBeGreaterThan(1000);
  expect(formerNames(names)).toEqual([]);
});

test('a former word is found inside a name and not inside another word', () => {
  expect(formerNames(['standInTape', 'insight', 'doubtful', 'historyOf', 'atOnceMax'])).toEqual([
    'tape: standInTape',
    'at once: atOnceMax',
  ]);
});
