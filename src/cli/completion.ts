import type { Command } from 'commander';
import { INTERVALS } from '../domain/interval.ts';
import { RULE_CODES } from '../metrics/rules.ts';
import { FAULT_CODES } from '../errors/table.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import { ASSET_KINDS } from '../domain/assets.ts';
import { SELECTIONS } from '../state/run-request.ts';
import { FORMATS, type Shell, SHELLS } from './choices.ts';
import { ASSET_NAMES } from '../configuration/setting-values.ts';

/** What completes an option's value: words, a path, or nothing. */
type OptionValues = readonly string[] | 'file' | 'directory' | 'free';

interface OptionWord {
  readonly word: string;
  readonly about: string;
  /** Null for an option without a value. */
  readonly values: OptionValues | null;
}

/** Completions of a line that names this command. */
interface Place {
  /** The words of the command, `candlekeep` left out: `runs list`. */
  readonly path: string;
  readonly commands: readonly { readonly word: string; readonly about: string }[];
  readonly options: readonly OptionWord[];
  readonly argument: readonly string[];
}

const VALUES: Readonly<Record<string, OptionValues>> = {
  '--exchange': [...EXCHANGES.keys()],
  '--interval': INTERVALS,
  '--asset': [...ASSET_KINDS, ...ASSET_NAMES],
  '--format': FORMATS,
  '--only': SELECTIONS,
  '--config': 'file',
  '--output': 'file',
  '--data-dir': 'directory',
};

const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  explain: [...FAULT_CODES, ...RULE_CODES],
  completion: SHELLS,
};

/** A completion script for the shell, generated from the declared commands. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, []);
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return zshScript(places);
    case 'fish':
      return fishScript(places);
    default:
      return shell satisfies never;
  }
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const globals = command.parent === null ? [] : rootOf(command).options;
  const place: Place = {
    path: path.join(' '),
    commands: command.commands.map((child) => ({ word: child.name(), about: child.description() })),
    options: [...command.options, ...globals].flatMap((option): OptionWord[] =>
      option.long
        ? [
            {
              word: option.long,
              about: option.description,
              values: option.required ? (VALUES[option.long] ?? 'free') : null,
            },
          ]
        : [],
    ),
    argument: ARGUMENTS[path.join(' ')] ?? [],
  };
  return [place, ...command.commands.flatMap((child) => placesOf(child, [...path, child.name()]))];
}

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent));

const wordsOf = ({ commands, options, argument }: Place): string =>
  [...commands.map(({ word }) => word), ...argument, ...options.map(({ word }) => word)].join(' ');

/** Options with a value, once each: one name has the same values in every command. */
const valued = (places: readonly Place[]): ReadonlyMap<string, OptionValues> =>
  new Map(
    places.flatMap(({ options }) =>
      options.flatMap(({ word, values }): [string, OptionValues][] => (values === null ? [] : [[word, values]])),
    ),
  );

/** Patterns of the shell's `case` that follows the typed words down the tree of commands. */
const descents = (places: readonly Place[]): string =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => `'${path}'`)
    .join('|');

function bashScript(places: readonly Place[]): string {
  const replyOf = (values: OptionValues): string => {
    if (values === 'free') return 'COMPREPLY=()';
    const source = values === 'file' ? '-f' : values === 'directory' ? '-d' : `-W '${values.join(' ')}'`;
    return `COMPREPLY=($(compgen ${source} -- "$word"))`;
  };
  return `# Completion of candlekeep in bash. To load it in every new shell:
#   candlekeep completion bash > ~/.local/share/bash-completion/completions/candlekeep
_candlekeep() {
  local word="\${COMP_WORDS[COMP_CWORD]}" trail='' words='' at next
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="\${trail:+$trail }\${COMP_WORDS[at]}"
    case "$next" in ${descents(places)}) trail="$next" ;; esac
  done
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${[...valued(places)].map(([option, values]) => `    ${option}) ${replyOf(values)}; return ;;`).join('\n')}
  esac
  case "$trail" in
${places.map((place) => `    '${place.path}') words='${wordsOf(place)}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _candlekeep candlekeep
`;
}

function zshScript(places: readonly Place[]): string {
  const replyOf = (values: OptionValues): string =>
    values === 'free'
      ? ':'
      : values === 'file'
        ? '_files'
        : values === 'directory'
          ? '_files -/'
          : `compadd -- ${values.join(' ')}`;
  return `#compdef candlekeep
# Completion of candlekeep in zsh. To load it in every new shell, write it as _candlekeep into a directory of $fpath.
_candlekeep() {
  local trail='' at next
  for ((at = 2; at < CURRENT; at++)); do
    next="\${trail:+$trail }\${words[at]}"
    case "$next" in ${descents(places)}) trail="$next" ;; esac
  done
  case "\${words[CURRENT-1]}" in
${[...valued(places)].map(([option, values]) => `    ${option}) ${replyOf(values)}; return ;;`).join('\n')}
  esac
  case "$trail" in
${places.map((place) => `    '${place.path}') compadd -- ${wordsOf(place)} ;;`).join('\n')}
  esac
}
# When zsh autoloads this file from $fpath, the file itself is the function at its first call.
if [[ "\${funcstack[1]}" == _candlekeep ]]; then _candlekeep "$@"; else compdef _candlekeep candlekeep; fi
`;
}

function fishScript(places: readonly Place[]): string {
  const text = (words: string): string => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const at = (path: string): string => `complete -c candlekeep -n "test (__candlekeep_trail) = '${path}'"`;
  const optionLine = (path: string, { word, about, values }: OptionWord): string => {
    const after =
      values === null
        ? ''
        : values === 'file'
          ? ' -r -F'
          : values === 'directory'
            ? ' -x -a "(__fish_complete_directories)"'
            : values === 'free'
              ? ' -x'
              : ` -x -a ${text(values.join(' '))}`;
    return `${at(path)} -l ${word.slice(2)}${after} -d ${text(about)}`;
  };
  return `# Completion of candlekeep in fish. To load it in every new shell:
#   candlekeep completion fish > ~/.config/fish/completions/candlekeep.fish
function __candlekeep_trail
  set -l trail ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$trail $word")
    switch $next
      case ${places
        .filter(({ path }) => path !== '')
        .map(({ path }) => `'${path}'`)
        .join(' ')}
        set trail $next
    end
  end
  echo "$trail"
end
complete -c candlekeep -f
${places
  .flatMap(({ path, commands, options, argument }) => [
    ...commands.map(({ word, about }) => `${at(path)} -a ${word} -d ${text(about)}`),
    ...(argument.length > 0 ? [`${at(path)} -a ${text(argument.join(' '))}`] : []),
    ...options.map((option) => optionLine(path, option)),
  ])
  .join('\n')}
`;
}
