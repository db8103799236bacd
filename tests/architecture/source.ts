import { parseSync } from 'vite';

/** A node of the syntax tree (ESTree with TypeScript's own nodes), as far as the rules need it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** One source file, parsed. `path` is relative to the repository, with `/`. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly program: Node;
}

/** @throws SyntaxError for text that does not parse: an unread file would pass every rule. */
export function readSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text);
  if (errors[0]) throw new SyntaxError(`${path}: ${errors[0].message}`);
  return { path, text, program: program as unknown as Node };
}

export const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';

/** An identifier's name or a string literal's text, so that `Date.now` and `Date['now']` are the same; else empty. */
export function nameOf(value: unknown): string {
  const name = isNode(value) ? (value['name'] ?? value['value']) : undefined;
  return typeof name === 'string' ? name : '';
}

export interface Visit {
  readonly node: Node;
  readonly parent: Node | null;
  /** The field of the parent that holds the node. */
  readonly field: string;
}

/** Every node of the tree, outer before inner. */
export function* walk(node: Node, parent: Node | null = null, field = ''): Generator<Visit> {
  yield { node, parent, field };
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child, node, name);
  }
}

export const linesOf = (text: string): number => text.trimEnd().split('\n').length;
export const lineAt = (source: Source, node: Node): number => source.text.slice(0, node.start).split('\n').length;

/** What a file imports from one place. */
export interface Import {
  readonly node: Node;
  /** Null where it is computed at run time. */
  readonly from: string | null;
  /** Imported names; `*` for the whole module, and for what a dynamic or re-export takes. */
  readonly names: readonly string[];
  readonly isTypeOnly: boolean;
}

/** Static, type, dynamic and re-export imports. */
export function importsOf(source: Source): Import[] {
  const imports: Import[] = [];
  for (const { node } of walk(source.program)) {
    if (!/^(Import|Export|TSImportType)/.test(node.type) || !isNode(node['source'])) continue;
    const from = node['source']['value'];
    const isTypeOnly = node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type';
    imports.push({ node, from: typeof from === 'string' ? from : null, names: importedNames(node), isTypeOnly });
  }
  return imports;
}

function importedNames(node: Node): string[] {
  if (node.type !== 'ImportDeclaration') return ['*'];
  return (node['specifiers'] as Node[]).map((specifier) => nameOf(specifier['imported']) || '*');
}
