import type { Measurement } from './measurement.ts';

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0);

/** Cut, not rounded: 99.9999 % is not all of it. */
const percent = ({ right, expected }: Measurement['validation']): string =>
  (Math.floor((right / expected) * 100_000) / 1_000).toFixed(3);

export type TableColumn<T> = readonly [title: string, (one: T) => string | number];

const COLUMNS: readonly TableColumn<Measurement>[] = [
  ['contestant', ({ contestant }) => contestant],
  ['candles %', ({ validation: judgement }) => percent(judgement)],
  ['silent', ({ validation: judgement }) => judgement.silent],
  ['doubled', ({ validation: judgement }) => judgement.doubled],
  ['invented', ({ validation: judgement }) => judgement.invented],
  ['requests', ({ exchange }) => exchange.requests],
  ['injected', ({ exchange }) => exchange.injectedTotal],
  ['wasted', ({ wasted }) => wasted],
  ['own 429', ({ exchange }) => exchange.overLimit],
  ['while closed', ({ exchange }) => exchange.sentWhileClosed],
  ['bans', ({ exchange }) => exchange.bans],
  ['wall s', ({ wallMs }) => seconds(wallMs)],
  ['floor s', ({ floorMs }) => seconds(floorMs)],
  [
    'F',
    ({ efficiency, validation: judgement }) => (judgement.right === judgement.expected ? efficiency.toFixed(3) : '-'),
  ], // less than all of it is no time
  ['limit %', ({ budgetRatio }) => (budgetRatio === null ? '-' : (budgetRatio * 100).toFixed(1))],
  ['bound s', ({ boundMs }) => (boundMs === null ? '-' : seconds(boundMs))],
  ['CPU s', ({ cpuMs }) => seconds(cpuMs)],
  ['peak MB', ({ peakBytes }) => megabytes(peakBytes)],
  ['exit', ({ exits }) => exits.map((exit) => exit ?? 'killed').join(' ')],
];

/** One line as soon as a contestant is through. */
export const summaryOf = ({ contestant, validation: judgement, wallMs, exchange }: Measurement): string =>
  `${contestant}: ${percent(judgement)} % of the candles, ${judgement.silent} lost in silence, ${seconds(wallMs)} s, ${exchange.requests} requests, ${exchange.sentWhileClosed} while closed`;

/** Measurements as a Markdown table. */
export const tableOf = (measurements: readonly Measurement[]): string => markdownTable(COLUMNS, measurements);

export function markdownTable<T>(columns: readonly TableColumn<T>[], rows: readonly T[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((one) => columns.map(([, text]) => String(text(one))))];
  const widths = columns.map((_, at) => Math.max(3, ...lines.map((line) => line[at]?.length ?? 0)));
  const drawn = lines.map(
    (line) =>
      `| ${line.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(0, width - 1))}:`)).join(' | ')} |`;
  return [drawn[0], rule, ...drawn.slice(1)].join('\n');
}
