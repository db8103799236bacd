import { PARKED_TRIES_MIN, REQUESTS_PER_PAGE_MAX, SLEEP_MS_MAX, type Backoff } from './schedule.ts';
import { FAULT_CODES, ruleOf, type AlertLevel, type Consequence, type FaultCode, type FaultKind } from './table.ts';

const AFTER_THE_LAST: Readonly<Record<Consequence, string>> = {
  parked: 'parked: not requested before a stored time',
  failed: 'failed; recovery retries later',
  removed: 'the symbol leaves the active list',
  'asset-fails': "this exchange's asset fails, others go on",
  'run-stops': 'the run stops',
  quarantined: 'the row is quarantined',
  recheck: 'requested again later until delivered or classified',
  counted: 'counted; nothing is lost',
  rerouted: 'the next channel is notified in its place',
  refused: 'refused: this work was not started',
};

const FAILED_FOR_GOOD = 'failed; no retry in this run, healing requests the candles later';

/** One row of the policies in force, as `candlekeep policies` shows it. */
export interface PolicyRow {
  readonly code: FaultCode;
  readonly kind: FaultKind;
  /** Attempts at one query that may end with this code, the first included; `triesText` adds the exception. */
  readonly tries: number;
  /** In words; `-` where there is no wait. */
  readonly backoff: string;
  /** What happens once the attempts are exhausted, in words. */
  readonly afterTheLast: string;
  readonly level: AlertLevel;
}

export const policyRows = (): PolicyRow[] => FAULT_CODES.map(policyRow);

function policyRow(code: FaultCode): PolicyRow {
  const { kind, triesMax, backoff, consequence, level } = ruleOf(code);
  return {
    code,
    kind,
    tries: triesMax,
    backoff: backoffText(backoff),
    afterTheLast: kind === 'permanent' && consequence === 'failed' ? FAILED_FOR_GOOD : AFTER_THE_LAST[consequence],
    level,
  };
}

/** The attempts of a code, for people. */
export const triesText = (code: FaultCode): string => `${ruleOf(code).triesMax}${parkedTriesText(code)}`;

/** A parked code gets another attempt where its wait is short enough to sleep. */
function parkedTriesText(code: FaultCode): string {
  const { triesMax, consequence } = ruleOf(code);
  return consequence === 'parked' && triesMax < PARKED_TRIES_MIN
    ? ` (${PARKED_TRIES_MIN} if the wait is at most ${durationText(SLEEP_MS_MAX)})`
    : '';
}

function backoffText(backoff: Backoff | null): string {
  if (backoff === null) return '-';
  const growing = `full jitter, ${durationText(backoff.baseMs)} doubling to ${durationText(backoff.capMs)}`;
  switch (backoff.shape) {
    case 'exponential':
      return growing;
    case 'immediate':
      return `immediately, then ${growing}`;
    case 'fixed':
      return durationText(backoff.baseMs);
    default:
      return backoff.shape satisfies never;
  }
}

function durationText(waitMs: number): string {
  if (waitMs < 1_000) return `${waitMs} ms`;
  return waitMs > 60_000 && waitMs % 60_000 === 0 ? `${waitMs / 60_000} min` : `${waitMs / 1_000} s`;
}

/** Everything the table says about a code, as label and text: the one source of `explain` and of the document. */
function facets(code: FaultCode): readonly (readonly [label: string, text: string])[] {
  const { signal, action, hint } = ruleOf(code);
  const { kind, backoff, afterTheLast, level } = policyRow(code);
  const tries = triesText(code);
  return [
    ['Signal', signal],
    ['What happens', action],
    ['Kind', kind],
    ['Tries', backoff === '-' ? tries : `${tries}, wait ${backoff}`],
    ['After the last try', afterTheLast],
    ['Alert level', level],
    ['What you can do', hint],
  ];
}

/** The page for the on-call engineer, relative to the package. */
export const runbookPath = (code: FaultCode): string => `docs/runbook/${code}.md`;

/** One code in plain text, for `candlekeep explain CODE`. */
export function explainCode(code: FaultCode): string {
  const rows = [...facets(code), ['Runbook', runbookPath(code)] as const];
  const width = Math.max(...rows.map(([label]) => label.length));
  return [code, ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)].join('\n');
}

/** The fault table as Markdown: the content of `docs/faults.md`. */
export function faultsDocument(): string {
  return [
    '<!-- Written by `npm run docs` from src/errors/table.ts. Change the table, not this file. -->',
    '# Faults',
    'Every way Candlekeep can fail, what it does about it, and what you can do. ' +
      '`candlekeep explain CODE` prints one of them.',
    'Tries are the attempts at one query that may end with this code, the first included; whatever the mix of codes, ' +
      `one query never costs more than ${REQUESTS_PER_PAGE_MAX} attempts. A server's own hint (Retry-After) is a ` +
      `floor under every wait. A wait of ` +
      `more than ${durationText(SLEEP_MS_MAX)} is not slept: the cells are parked in the store, so that a restart ` +
      'does not forget them.',
    table(
      ['Code', 'Kind', 'Tries', 'Backoff', 'After the last try', 'Level'],
      policyRows().map(({ code, kind, backoff, afterTheLast, level }) => [
        `[${code}](#${code.toLowerCase()})`,
        kind,
        triesText(code),
        backoff,
        afterTheLast,
        level,
      ]),
    ),
    ...FAULT_CODES.flatMap((code) => [
      `## ${code}`,
      [
        ...facets(code).map(([label, text]) => [label, escaped(text)] as const),
        ['Runbook', `[${runbookPath(code)}](runbook/${code}.md)`] as const,
      ]
        .map(([label, text]) => `- **${label}**: ${text}`)
        .join('\n'),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

/** Sections of a runbook page, in their order. */
export const RUNBOOK_SECTIONS = [
  'Symptom',
  'Cause',
  'What the system already did',
  'What is safe',
  'What to run',
] as const;

/** A runbook page with what the table says above its first section; the prose from there on is left as it is. */
export function runbookPage(code: FaultCode, text: string): string {
  const { kind, tries, backoff, afterTheLast, level } = policyRow(code);
  const attempts = `${tries} ${tries === 1 ? 'try' : 'tries'}${parkedTriesText(code)}`;
  const attemptsAndWait = backoff === '-' ? attempts : `${attempts}, wait ${backoff}`;
  const [prose = RUNBOOK_SECTIONS.map((section) => `## ${section}\n`).join('\n')] = /^## .*/ms.exec(text) ?? [];
  const link = `[fault table](../faults.md#${code.toLowerCase()})`;
  const head = [kind, attemptsAndWait, `then ${afterTheLast}`, `level ${level}`, link].join(' · ');
  return `# ${code}\n\n> ${head}\n\n${prose}`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Markdown reads `<` as the start of HTML. */
const escaped = (text: string): string => text.replaceAll('<', '&lt;');
