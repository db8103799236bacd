import { stripVTControlCharacters } from 'node:util';
import { blocksOf } from './architecture/documents.ts';

/** One command of a document's session, with what the document shows of its output. */
export interface Step {
  /** The `second terminal` goes on while the first does other things. */
  readonly terminal: 'first' | 'second';
  readonly command: string;
  readonly shown: string;
}

const PROMPT = '$ ';

/** The commands in `console` blocks, in order; a block whose fence says `not run` is left out. */
export function stepsOf(path: string, text: string): Step[] {
  return blocksOf(path, text).filter(({ language, note }) => language === 'console' && note !== 'not run').flatMap(({ content, note }) => {
    const [before = '', ...commands] = `\n${content}`.split(`\n${PROMPT}`);
    if (before.trim() !== '') throw new Error(`${path}: a console block begins without a command: ${before.trim()}`);
    if (note !== '' && note !== 'second terminal') throw new Error(`${path}: no console block is "${note}"`);
    return commands.map((one): Step => {
      const [command = '', ...shown] = one.replaceAll('\\\n', '\\\0').split('\n');
      return { terminal: note === '' ? 'first' : 'second', command: command.replaceAll('\\\0', '\\\n'), shown: shown.join('\n') };
    });
  });
}

/** What differs from one session to the next, and what stands for it. A recorded time is none of it: candles end before 2026. */
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

export const masked = (text: string): string => MASKS.reduce((left, [what, mask]) => left.replaceAll(what, mask), stripVTControlCharacters(text)).trim();

/** Stands for anything in its line; as a line of its own, for any lines. */
const ANYTHING = '...';

/** Null when `real` is what `shown` says, masks and omissions granted; else what was expected and what came. */
export function differenceOf(shown: string, real: string): string | null {
  const [wanted, got] = [shown, real].map((text) => (masked(text) === '' ? [] : masked(text).split('\n'))) as [string[], string[]];
  let furthest = 0;
  const fits = (at: number, from: number): boolean => {
    furthest = Math.max(furthest, at);
    const line = wanted[at];
    if (line === undefined) return from === got.length;
    if (line === ANYTHING) return fits(at + 1, from) || (from < got.length && fits(at, from + 1));
    return from < got.length && isLine(line, got[from] ?? '') && fits(at + 1, from + 1);
  };
  return fits(0, 0) ? null : `expected at line ${furthest + 1}: ${wanted[furthest] ?? 'the end'}\nin what was printed:\n${got.join('\n')}`;
}

function isLine(shown: string, real: string): boolean {
  const parts = shown.split(ANYTHING).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(real);
}
