import { importsOf, isNode, lineAt, nameOf, walk, type Node, type Source, type Visit } from './source.ts';

/**
 * Clock, chance, network, disk and environment belong to the platform; everything else gets them through
 * its ports, so that a test or the simulator can own the world. These are the only exceptions.
 */
const ALLOWANCES: readonly { readonly under: string; readonly uses: readonly string[]; readonly why: string }[] = [
  {
    under: 'src/cli/',
    uses: ['process'],
    why: 'the rim: arguments, environment, streams, signals',
  },
  {
    under: 'src/simulation/',
    uses: ['node:http createServer'],
    why: 'stand-in exchanges and the stand-in Hub listen on loopback',
  },
];

/** Modules of Node that compute and touch nothing. Every other one is an effect. */
const PURE_MODULES = /^node:(path|path\/posix|url|util|zlib|events|stream|buffer|string_decoder|async_hooks|assert)$/;
const PURE_CRYPTO = ['createHash', 'createHmac', 'timingSafeEqual'];

/** Where each dependency is at home; elsewhere it comes in through that room. */
const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  undici: ['src/platform/'],
  '@opentelemetry/api': ['src/platform/'],
  '@duckdb/node-api': ['src/platform/'],
  pino: ['src/platform/', 'src/cli/'],
  '@huggingface/hub': ['src/lake/gold/'],
  commander: ['src/cli/'],
  nodemailer: ['src/platform/'],
};

/** Globals whose every use is an effect. */
const AMBIENT_GLOBALS = new Set([
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'WebSocket',
  'EventSource',
  'crypto',
  'process',
  'console',
  'globalThis',
  'global',
  'require',
  'eval',
]);
/** Members of harmless globals that are effects. */
const AMBIENT_MEMBERS = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout', 'Atomics.wait', 'Temporal.Now']);

const isAllowed = (path: string, use: string): boolean =>
  ALLOWANCES.some(({ under, uses }) => path.startsWith(under) && uses.includes(use));

/** Imports of effects, and of dependencies away from their home. Types alone do nothing and may come from anywhere. */
export function moduleUses(source: Source): string[] {
  return importsOf(source).flatMap(({ node, from, names, isTypeOnly }) => {
    if (from === null || from.startsWith('.') || isTypeOnly || PURE_MODULES.test(from)) return [];
    const at = `${source.path}:${lineAt(source, node)}`;
    if (from.startsWith('node:'))
      return effects(from, names)
        .filter((use) => !isAllowed(source.path, use))
        .map((use) => `${at} imports ${use}`);
    return (PACKAGE_HOMES[from] ?? []).some((home) => source.path.startsWith(home))
      ? []
      : [`${at} imports ${from} away from its home`];
  });
}

const effects = (module: string, names: readonly string[]): string[] =>
  names.filter((name) => !(module === 'node:crypto' && PURE_CRYPTO.includes(name))).map((name) => `${module} ${name}`);

/** Uses of ambient globals. A name that the file itself declares (a parameter `fetch`, say) is not the global. */
export function ambientUses(source: Source): string[] {
  const visits = [...walk(source.program)];
  const declared = new Set(
    visits
      .flatMap(({ node }) => bindingsOf(node))
      .filter(isNode)
      .map(nameOf),
  );
  return visits.flatMap((visit) => {
    const use = ambientUse(visit);
    if (use === null || declared.has(use.split('.')[0] ?? use) || isAllowed(source.path, use)) return [];
    return [`${source.path}:${lineAt(source, visit.node)} uses ${use}`];
  });
}

function ambientUse({ node, parent, field }: Visit): string | null {
  if (node.type === 'MemberExpression') {
    const name = `${nameOf(node['object'])}.${nameOf(node['property'])}`;
    return AMBIENT_MEMBERS.has(name) ? name : null;
  }
  if (isBareDate(node)) return 'Date without argument';
  const isReference =
    node.type === 'Identifier' && parent !== null && !isMereName(parent, field) && !parent.type.startsWith('TS');
  return isReference && AMBIENT_GLOBALS.has(nameOf(node)) ? nameOf(node) : null;
}

/** `Date()` ignores its arguments; `new Date()` without one reads the clock. */
const isBareDate = (node: Node): boolean =>
  nameOf(node['callee']) === 'Date' &&
  (node.type === 'CallExpression' || (node.type === 'NewExpression' && (node['arguments'] as Node[]).length === 0));

/** True where an identifier is the name of a member or a key, not a reference. */
function isMereName(parent: Node, field: string): boolean {
  if (parent['computed'] === true) return false;
  if (parent.type === 'MemberExpression') return field === 'property';
  if (/^(Property|MethodDefinition|PropertyDefinition)$/.test(parent.type)) return field === 'key';
  return /^(Import|Export|Label|Break|Continue|MetaProperty)/.test(parent.type);
}

/** What a node binds to names. Patterns nest, so each layer answers for itself. */
function bindingsOf(node: Node): readonly unknown[] {
  switch (node.type) {
    case 'VariableDeclarator':
    case 'ClassDeclaration':
      return [node['id']];
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [node['id'], ...(node['params'] as Node[])];
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
      return [node['local']];
    case 'ObjectPattern':
      return (node['properties'] as Node[]).map((property) => property['value']);
    case 'ArrayPattern':
      return node['elements'] as unknown[];
    case 'AssignmentPattern':
      return [node['left']];
    case 'RestElement':
      return [node['argument']];
    default:
      return [];
  }
}
