import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { classifyGaps, type GapVerdict } from '../../../src/lake/quality/gaps/gap-verdicts.ts';
import { seriesRecord } from '../../support/series-record.ts';
import { basesOf } from './gap-bases.ts';
import { KINDS, type Question } from './gap-kinds.ts';
import { RECHECK_AFTER_MS, roundOf, type Round } from './gap-quiz.ts';
import { readRecordings, RECORDED } from './recordings.ts';

const GAPS = 1_000;
/** A folder with your own recordings (`<exchange>/<interval>/<SYMBOL>*.csv.gz`), used instead of the committed ones. */
const own = process.env['CANDLEKEEP_RECORDINGS'];
const seed = process.env['CANDLEKEEP_SEED'] ?? 'gaps';
/** Each round plants at least one gap. */
const ROUNDS_MAX = GAPS;

function verdictsOf(round: Round): GapVerdict[] {
  const { base, rowsPerPageMax, others, classified, incidents } = round;
  const series = round.series.map((one) => seriesRecord({ ...one, stepMs: base.stepMs }));
  const record = {
    exchange: 'quiz',
    stepMs: base.stepMs,
    emptyCandles: base.emptyCandles,
    rowsPerPageMax,
    series,
    others,
  };
  return classifyGaps(record, { classified, incidents, recheckAfterMs: RECHECK_AFTER_MS });
}

interface Marked {
  readonly question: Question;
  readonly isRight: boolean;
  readonly isNoTrades: boolean;
  readonly said: string;
}

/** Right: every candle of the gap has the expected state and cause; candles that are no gap have no verdict. */
function mark(question: Question, verdicts: readonly GapVerdict[], { classified, base }: Round): Marked {
  const own = verdicts.filter(({ symbol }) => symbol === question.symbol);
  const given = question.spans.flatMap((span) => {
    const times = Array.from(
      { length: (span.toMs - span.fromMs) / base.stepMs },
      (_, at) => span.fromMs + at * base.stepMs,
    );
    return times
      .filter((timeMs) => timeMs >= classified.fromMs && timeMs < classified.toMs)
      .map((timeMs) => own.find((verdict) => verdict.fromMs <= timeMs && timeMs < verdict.toMs));
  });
  const isRight =
    given.length > 0 &&
    given.every((one) =>
      question.state === null
        ? one === undefined
        : one?.state === question.state && question.causes.includes(one.cause),
    );
  return {
    question,
    isRight,
    isNoTrades: given.some((one) => one?.state === 'no_trades'),
    said: [...new Set(given.map((one) => (one === undefined ? 'nothing' : `${one.state} ${one.cause}`)))].join(', '),
  };
}

function table(marked: readonly Marked[]): string {
  const lines = Object.keys(KINDS).map((kind) => {
    const inKind = marked.filter(({ question }) => question.kind === kind);
    const right = inKind.filter(({ isRight }) => isRight).length;
    return `${kind.padEnd(22)} ${String(right).padStart(4)} of ${String(inKind.length).padStart(4)}`;
  });
  const wrong = marked
    .filter(({ isRight }) => !isRight)
    .slice(0, 10)
    .map(
      ({ question, said }) =>
        `wrong: ${question.kind} ${question.symbol} ${new Date(question.spans[0]?.fromMs ?? 0).toISOString()}: ` +
        `${said}, not ${question.state} ${question.causes.join(' or ')}`,
    );
  return [`seed ${seed}`, ...lines, ...wrong].join('\n');
}

test(`of ${GAPS} planted gaps 99.5 % get the right cause, and none of our own losses becomes no_trades`, () => {
  const bases = basesOf(own === undefined ? RECORDED : readRecordings(own));
  const random = seededRandom(seed);
  const marked: Marked[] = [];
  const planted = new Map<string, number>();
  for (let round = 0; marked.length < GAPS && round < ROUNDS_MAX; round++) {
    const quiz = roundOf(bases[round % bases.length] as (typeof bases)[number], random.fork(`round ${round}`), planted);
    const verdicts = verdictsOf(quiz);
    marked.push(...quiz.questions.map((question) => mark(question, verdicts, quiz)));
    for (const { kind } of quiz.questions) planted.set(kind, (planted.get(kind) ?? 0) + 1);
  }
  const report = table(marked);
  console.log(report);
  expect(marked.length, report).toBeGreaterThanOrEqual(GAPS);
  expect(
    Object.keys(KINDS).filter((kind) => !marked.some(({ question }) => question.kind === kind)),
    report,
  ).toEqual([]);
  expect(
    marked.filter(({ question, isNoTrades }) => question.isOurs && isNoTrades),
    report,
  ).toEqual([]);
  expect(marked.filter(({ isRight }) => isRight).length / marked.length, report).toBeGreaterThanOrEqual(0.995);
});
