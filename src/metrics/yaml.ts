/** The data that YAML files are written from. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

const isScalar = (value: Plain): value is string | number | boolean => typeof value !== 'object';
const isEmpty = (value: Plain): boolean => Object.keys(value as object).length === 0;
/** JSON scalars are valid YAML, so no quoting rules are needed. */
const scalar = (value: string | number | boolean): string => JSON.stringify(value);

/** Plain data as YAML in block style. */
export const yamlOf = (value: Plain): string => `${linesOf(value).join('\n')}\n`;

function linesOf(value: Plain): string[] {
  if (isScalar(value)) return [scalar(value)];
  if (isEmpty(value)) return [Array.isArray(value) ? '[]' : '{}'];
  const entries = Array.isArray(value)
    ? (value as readonly Plain[]).map((item) => ['- ', item] as const)
    : Object.entries(value as { readonly [key: string]: Plain }).map(([key, part]) => [`${key}: `, part] as const);
  return entries.flatMap(([head, part]) => {
    const [first = '', ...rest] = linesOf(part);
    if (isScalar(part) || isEmpty(part)) return [`${head}${first}`];
    if (head === '- ') return [`${head}${first}`, ...rest.map((line) => `  ${line}`)];
    return [head.trimEnd(), ...[first, ...rest].map((line) => `  ${line}`)];
  });
}
