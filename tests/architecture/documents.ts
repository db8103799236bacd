import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { buildProgram } from '../../src/cli/commands/command-tree.ts';

/** A fenced block of a document. */
export interface Block {
  readonly path: string;
  /** Empty where the fence names none. */
  readonly language: string;
  /** What the fence says after the language. */
  readonly note: string;
  readonly content: string;
}

const FENCE = /^```(\w*)([^\n`]*)\n(.*?)^```$/gms;

export const blocksOf = (path: string, text: string): Block[] =>
  [...text.matchAll(FENCE)].map(([, language = '', note = '', content = '']) => ({
    path,
    language,
    note: note.trim(),
    content,
  }));

/** The document without program output, which may quote mistakes. */
export const withoutOutput = (text: string): string =>
  text.replaceAll(FENCE, (block, language) => (language === 'text' ? '' : block));

/** Prefixes of our command lines, and the arguments that each implies. */
const PROGRAMS: readonly (readonly [words: readonly string[], own: readonly string[]])[] = [
  [['candlekeep'], []],
  [['npx', 'candlekeep'], []],
  [['npm', 'run', '-s', 'cli', '--'], []],
  [['npm', 'start', '--'], ['demo']],
];

const WORD = /(?:[^\s'"|&;>#]|'[^']*'|"[^"]*"|(?<=\S)#)+/g;

/** Arguments of every command of ours in one line of shell; what is piped, chained or redirected to is left out. */
function argumentsIn(line: string): string[][] {
  const commands = line.split(/\s#\s/)[0]?.split(/\||&&|;/) ?? [];
  return commands.flatMap((command) => {
    const words = (command.split('>')[0]?.match(WORD) ?? []).map((word) => word.replaceAll(/['"]/g, ''));
    const bare = words.slice(words.findIndex((word) => !/^\w+=/.test(word) && word !== 'export'));
    const program = PROGRAMS.find(([names]) => names.every((name, at) => bare[at] === name));
    return program === undefined ? [] : [[...program[1], ...bare.slice(program[0].length)]];
  });
}

/** Command lines of ours in the shell blocks of a document. */
export function shellCommandsOf(path: string, text: string): string[][] {
  return blocksOf(path, text).flatMap(({ language, content }) => {
    const lines = content.replaceAll('\\\n', ' ').split('\n');
    if (language === 'console')
      return lines.flatMap((line) => (line.startsWith('$ ') ? argumentsIn(line.slice(2)) : []));
    return language === 'sh' ? lines.flatMap(argumentsIn) : [];
  });
}

/** Command lines of ours in the running text of a document, as code; the bare name and `ARGS` are none. */
export const mentionedCommandsOf = (text: string): string[][] =>
  [...text.replaceAll(FENCE, '').matchAll(/`([^`\n]+)`/g)]
    .flatMap(([, code = '']) => argumentsIn(code))
    .filter(([name = '']) => /^[a-z-]/.test(name));

/** Why the command tree refuses a command line; null when it accepts it. Nothing is executed. */
export async function refusalOf(args: readonly string[]): Promise<string | null> {
  try {
    await buildProgram(
      { stdout: { isTTY: false, write: () => undefined } },
      (command) => void command.action(() => undefined),
    ).parseAsync([...args], { from: 'user' });
    return null;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? null : `candlekeep ${args.join(' ')}: ${error.message}`;
  }
}

const ROOT = join(import.meta.dirname, '../..');

/** Compiler diagnostics of TypeScript blocks that import the package by its name. */
export function compilerErrors(blocks: readonly Block[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'candlekeep-documents-'));
  try {
    for (const [at, { content }] of blocks.entries()) writeFileSync(join(folder, `block-${at}.ts`), content);
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.json'),
        compilerOptions: {
          paths: { candlekeep: [join(ROOT, 'src/api/library.ts')] },
          typeRoots: [join(ROOT, 'node_modules/@types')],
          noUnusedLocals: false,
          moduleDetection: 'force',
        },
        include: ['*.ts'],
      }),
    );
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return '';
  } catch (error) {
    const { stdout } = error as { readonly stdout?: unknown };
    if (typeof stdout !== 'string' || stdout === '') throw error; // not a compiler diagnostic
    return stdout.replaceAll(/block-(\d+)\.ts/g, (_, at: string) => `${blocks[Number(at)]?.path} block ${at}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
