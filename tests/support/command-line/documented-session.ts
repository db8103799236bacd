import { stripVTControlCharacters } from 'node:util';
import { blocksOf, type Block } from '../../architecture/documents.ts';

/** One command of a document's session, with what the document shows of its output. */
export interface Step {
  /** The `second terminal` goes on while the first does other things. */
  readonly terminal: 'first' | 'second';
  readonly command: string;
  readonly shown: string;
}

const PROMPT = '$ ';

/** A file name after the language of a fence: the block is that file. */
const FILE_NAME = /^[\w.-]+\.\w+$/;

/**
 * The commands in `console` blocks, in order, and between them the files that other blocks are; a block whose fence
 * says `not run` is left out.
 */
export const stepsOf = (path: string, text: string): Step[] =>
  blocksOf(path, text).flatMap((block) => (block.language === 'console' ? commandsIn(block) : fileIn(block)));

function commandsIn({ path, content, note }: Block): Step[] {
  if (note === 'not run') return [];
  if (note !== '' && note !== 'second terminal') throw new Error(`${path}: no console block is "${note}"`);
  const [before = '', ...commands] = `\n${content}`.split(`\n${PROMPT}`);
  if (before.trim() !== '') throw new Error(`${path}: a console block begins without a command: ${before.trim()}`);
  return commands.map((one): Step => {
    const [, command = '', shown = ''] = /^((?:[^\n]*\\\n)*[^\n]*)\n?(.*)$/s.exec(one) ?? [];
    return { terminal: note === '' ? 'first' : 'second', command, shown };
  });
}

const fileIn = ({ content, note }: Block): Step[] =>
  FILE_NAME.test(note)
    ? [{ terminal: 'first', command: `cat > ${note} << 'END-OF-BLOCK'\n${content}END-OF-BLOCK`, shown: '' }]
    : [];

/**
 * Patterns that differ between sessions, and their masks. Recorded times are compared: candles end before 2026.
 */
const MASKS: readonly (readonly [what: RegExp, mask: string])[] = [
  [/\r/g, ''],
  [/\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\d\b/g, '<day>'],
  [/^\d\d:\d\d:\d\d(?= )/gm, '<clock>'],
  [/\b(run|demo|accept)_[0-9a-z]{10,}/g, '$1_<id>'],
  [/\b[\d,]+(?:\.\d+)? (ms|s|min|GB)\b/g, '<amount> $1'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>'],
  [/(?<![\w.])v?\d+\.\d+\.\d+(?!\.?\d)/g, '<version>'],
  [/[ \t]+/g, ' '],
  [/ $/gm, ''],
];

export const masked = (text: string): string =>
  MASKS.reduce((left, [what, mask]) => left.replaceAll(what, mask), stripVTControlCharacters(text)).trim();

/** Stands for anything in its line; as a line of its own, for any lines. */
const ANYTHING = '...';

/** Null when `real` matches `shown`, apart from masks and omissions; else the expected and the printed text. */
export function differenceOf(shown: string, real: string): string | null {
  const [wanted, got] = [shown, real].map((text) => (masked(text) === '' ? [] : masked(text).split('\n'))) as [
    string[],
    string[],
  ];
  let furthest = 0;
  const fits = (at: number, from: number): boolean => {
    furthest = Math.max(furthest, at);
    const line = wanted[at];
    if (line === undefined) return from === got.length;
    if (line === ANYTHING) return fits(at + 1, from) || (from < got.length && fits(at, from + 1));
    return from < got.length && isLine(line, got[from] ?? '') && fits(at + 1, from + 1);
  };
  return fits(0, 0)
    ? null
    : `expected at line ${furthest + 1}: ${wanted[furthest] ?? 'the end'}\nin what was printed:\n${got.join('\n')}`;
}

function isLine(shown: string, real: string): boolean {
  const parts = shown.split(ANYTHING).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(real);
}
