import { posix } from 'node:path';
import { ambientUses, moduleUses } from './ambient.ts';
import { importsOf, isNode, lineAt, linesOf, walk, type Node, type Source } from './source.ts';

/** The rooms under src/, in order. A file may import from its own room and from rooms earlier in this list. */
export const ROOMS = [
  'errors',
  'domain',
  'platform',
  'state',
  'resilience',
  'exchanges',
  'lake',
  'lake/quality',
  'lake/bronze',
  'lake/silver',
  'lake/gold',
  'metrics',
  'alerting',
  'engine/core',
  'engine/plan',
  'engine/ingest',
  'engine/recovery',
  'engine/runs',
  'engine/monitoring',
  'engine/daemon',
  'engine/queries',
  'engine/maintenance',
  'configuration',
  'api',
  'simulation',
  'cli',
] as const;
export type Room = (typeof ROOMS)[number];

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 70;
export const COLUMNS_MAX = 120;
/** Source files in one folder, tests not counted: a folder of more hides two rooms. */
export const FOLDER_FILES_MAX = 15;
const PARAMETERS_MAX = 4;
/** Names that say nothing about what a file holds. */
const EMPTY_NAMES = /(^|-)(utils?|helpers?|common|manager|service|misc)s?(-|\.|$)/;

/** The innermost room that a file lies in. */
export const roomOf = (path: string): Room | null => ROOMS.findLast((room) => path.startsWith(`src/${room}/`)) ?? null;

/** Everything wrong with the given files, one line each: `path:line what`. They are taken as the whole of src/. */
export function violations(sources: readonly Source[]): string[] {
  const paths = new Set(sources.map((source) => source.path));
  const each = sources.flatMap((source) => {
    const room = roomOf(source.path);
    if (room === null) return [`${source.path}: lies in no room`];
    const ambient = room === 'platform' ? [] : [...moduleUses(source), ...ambientUses(source)];
    return [...nameFindings(source), ...importFindings(source, room, paths), ...shapeFindings(source), ...ambient];
  });
  return [...each, ...folderFindings(sources), ...repeatedTypes(sources)];
}

function folderFindings(sources: readonly Source[]): string[] {
  const folders = Map.groupBy(sources, ({ path }) => posix.dirname(path));
  return [...folders].flatMap(([folder, files]) =>
    files.length > FOLDER_FILES_MAX ? [`${folder}: ${files.length} files`] : [],
  );
}

/** Types that two files export under one name: a reader cannot tell which is meant. */
function repeatedTypes(sources: readonly Source[]): string[] {
  const declared = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:abstract )?(?:interface|type|class) (\w+)/gm)].map(([, name = '']) => ({
      name,
      path,
    })),
  );
  return [...Map.groupBy(declared, ({ name }) => name)].flatMap(([name, places]) =>
    places.length > 1 ? [`${name} is exported by ${places.map(({ path }) => path).join(' and ')}`] : [],
  );
}

/** Lines that are longer than the formatter's width, which it cannot break itself: comments and texts. */
export const wideLines = (path: string, text: string): string[] =>
  text
    .split('\n')
    .flatMap((line, at) => (line.length > COLUMNS_MAX ? [`${path}:${at + 1} ${line.length} columns`] : []));

const nameFindings = ({ path }: Source): string[] =>
  EMPTY_NAMES.test(posix.basename(path)) ? [`${path}: the name says nothing`] : [];

/** A user's configuration file is a module whose path is known only at run time. */
const COMPUTED_IMPORT = 'src/platform/node/module-file.ts';

/** Where adapters of the real world are built. All other source files get them as ports, types included. */
export const ADAPTER_ROOTS = [
  'src/api/',
  'src/cli/session.ts',
  'src/cli/open-session.ts',
  'src/cli/package-version.ts',
  'src/cli/actions/pipeline/start.ts',
] as const;
const isAdapter = (path: string): boolean => path.startsWith('src/platform/node/');

function importFindings(source: Source, room: Room, paths: ReadonlySet<string>): string[] {
  return importsOf(source).flatMap(({ node, from }) => {
    const at = `${source.path}:${lineAt(source, node)}`;
    if (from === null) return source.path === COMPUTED_IMPORT ? [] : [`${at} imports a computed path`];
    if (!from.startsWith('.')) return [];
    const target = posix.join(posix.dirname(source.path), from);
    const targetRoom = roomOf(target);
    if (!paths.has(target) || targetRoom === null) return [`${at} imports ${from}, which is no source file in a room`];
    if (isAdapter(target) && !isAdapter(source.path) && !ADAPTER_ROOTS.some((root) => source.path.startsWith(root)))
      return [`${at} imports the adapter ${target}, which is passed in as a port`];
    return ROOMS.indexOf(targetRoom) > ROOMS.indexOf(room)
      ? [`${at} imports ${targetRoom}, a later room than ${room}`]
      : [];
  });
}

function shapeFindings(source: Source): string[] {
  const found: string[] = [];
  const fileLines = linesOf(source.text);
  if (fileLines > FILE_LINES_MAX) found.push(`${source.path}: ${fileLines} lines`);
  found.push(...wideLines(source.path, source.text));
  for (const { node } of walk(source.program)) {
    for (const what of [...functionFindings(source, node), ...catchFindings(node)])
      found.push(`${source.path}:${lineAt(source, node)} ${what}`);
  }
  return found;
}

function functionFindings(source: Source, node: Node): string[] {
  if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return [];
  const parameters = node['params'] as Node[];
  const lines = linesOf(source.text.slice(node.start, node.end));
  return [
    ...(lines > FUNCTION_LINES_MAX ? [`function of ${lines} lines`] : []),
    ...(parameters.length > PARAMETERS_MAX ? [`function of ${parameters.length} parameters`] : []),
    ...(parameters.some(isBoolean) ? ['boolean parameter'] : []),
  ];
}

function isBoolean(parameter: Node): boolean {
  const target = parameter.type === 'AssignmentPattern' ? (parameter['left'] as Node) : parameter;
  const annotation = target['typeAnnotation'];
  return isNode(annotation) && (annotation['typeAnnotation'] as Node).type === 'TSBooleanKeyword';
}

/** A caught error must at least be read. */
function catchFindings(node: Node): string[] {
  if (node.type !== 'CatchClause') return [];
  if ((node['body'] as { body: unknown[] }).body.length === 0) return ['empty catch'];
  return node['param'] === null ? ['catch that does not look at the error'] : [];
}
