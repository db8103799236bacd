import type { Measurement } from './measurement.ts';

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0);

/** Rounded down, so that 99.9999 % is not shown as 100. */
const percent = ({ right, expected }: Measurement['assessment']): string =>
  (Math.floor((right / expected) * 100_000) / 1_000).toFixed(3);

export type TableColumn<T> = readonly [title: string, (one: T) => string | number];

const COLUMNS: readonly TableColumn<Measurement>[] = [
  ['contestant', ({ contestant }) => contestant],
  ['candles %', ({ assessment }) => percent(assessment)],
  ['silent', ({ assessment }) => assessment.silent],
  ['doubled', ({ assessment }) => assessment.doubled],
  ['invented', ({ assessment }) => assessment.invented],
  ['requests', ({ exchange }) => exchange.requests],
  ['injected', ({ exchange }) => exchange.injectedTotal],
  ['wasted', ({ wasted }) => wasted],
  ['own 429', ({ exchange }) => exchange.overLimit],
  ['while closed', ({ exchange }) => exchange.sentWhileClosed],
  ['bans', ({ exchange }) => exchange.bans],
  ['wall s', ({ wallMs }) => seconds(wallMs)],
  ['lower bound s', ({ lowerBoundMs }) => seconds(lowerBoundMs)],
  // An incomplete result has no F.
  ['F', ({ efficiency, assessment }) => (assessment.right === assessment.expected ? efficiency.toFixed(3) : '-')],
  ['limit %', ({ budgetRatio }) => (budgetRatio === null ? '-' : (budgetRatio * 100).toFixed(1))],
  ['bound s', ({ upperBoundMs }) => (upperBoundMs === null ? '-' : seconds(upperBoundMs))],
  ['CPU s', ({ cpuMs }) => seconds(cpuMs)],
  ['peak MB', ({ peakBytes }) => megabytes(peakBytes)],
  ['exit', ({ exits }) => exits.map((exit) => exit ?? 'killed').join(' ')],
];

/** One line, printed as soon as a contestant has ended. */
export const summaryOf = ({ contestant, assessment, wallMs, exchange }: Measurement): string =>
  [
    `${contestant}: ${percent(assessment)} % of the candles`,
    `${assessment.silent} lost in silence`,
    `${seconds(wallMs)} s`,
    `${exchange.requests} requests`,
    `${exchange.sentWhileClosed} while closed`,
  ].join(', ');

/** Measurements as a Markdown table. */
export const tableOf = (measurements: readonly Measurement[]): string => markdownTable(COLUMNS, measurements);

export function markdownTable<T>(columns: readonly TableColumn<T>[], rows: readonly T[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((one) => columns.map(([, text]) => String(text(one))))];
  const widths = columns.map((_, at) => Math.max(3, ...lines.map((line) => line[at]?.length ?? 0)));
  // The first column is aligned left, the others right.
  const padded = (text: string, at: number): string =>
    at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0);
  const drawn = lines.map((line) => `| ${line.map(padded).join(' | ')} |`);
  const rules = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(0, width - 1))}:`));
  return [drawn[0], `| ${rules.join(' | ')} |`, ...drawn.slice(1)].join('\n');
}
