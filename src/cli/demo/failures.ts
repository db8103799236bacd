import type { Exchange } from '../../domain/exchange.ts';
import { ConfigurationError } from '../../errors/errors.ts';
import type { FaultPlan, FaultInjection, FaultSpec } from '../../simulation/fault-plan.ts';
import type { World } from '../../simulation/world.ts';
import { nearest } from '../../configuration/nearest.ts';
import { readSymbol } from '../../configuration/setting-values.ts';

/** Faults without parameters. */
const KINDS = [
  'silence',
  'stall',
  'reset',
  'cut',
  'truncated-json',
  'html',
  'empty-body',
  'empty-list',
  'wrong-shape',
  'wrong-unit',
] as const satisfies readonly FaultSpec['kind'][];

const FORM = /^(?<market>[^=]+)=(?<fault>[a-z-]+|[45]\d\d)(?:x(?<times>[1-9]\d{0,3}))?$/;
const EXPECTED =
  'MARKET=STATUS or MARKET=KIND, with xN for the first N requests only, such as okx:ETH/USDT=500x4; ' +
  `KIND is ${KINDS.join(', ')}`;

/**
 * The faults of each exchange that `--fail` names.
 * @throws ConfigurationError (CONFIG_INVALID) for an unknown market or fault.
 */
export function failurePlans(
  texts: readonly string[],
  worlds: ReadonlyMap<Exchange, World>,
): ReadonlyMap<Exchange, FaultPlan> {
  const rules = texts.map((text) => readFailure(text, worlds));
  return new Map(
    [...worlds.keys()].map((exchange) => [
      exchange,
      { seed: 'asked for', rules: rules.flatMap((own) => own.get(exchange) ?? []) },
    ]),
  );
}

function readFailure(text: string, worlds: ReadonlyMap<Exchange, World>): ReadonlyMap<Exchange, FaultInjection[]> {
  const { market, fault, times } = FORM.exec(text)?.groups ?? {};
  if (market === undefined || fault === undefined) throw refusal(EXPECTED, text);
  const spec = specOf(fault);
  const { exchange, symbol } = readSymbol(market, '--fail');
  const on: FaultInjection['on'] =
    times === undefined ? { every: 1 } : { nth: Array.from({ length: Number(times) }, (_, at) => at + 1) };
  const rules = [...worlds]
    .filter(([name]) => exchange === null || exchange === name)
    .flatMap(([name, world]): [Exchange, FaultInjection[]][] => {
      const series = world.series.find((one) => one.symbol === symbol);
      return series === undefined ? [] : [[name, [{ match: { symbol: series.venueSymbol }, on, fault: spec }]]];
    });
  if (rules.length === 0) throw refusal(`a market of the stand-ins (${marketsOf(worlds).join(', ')})`, market);
  return new Map(rules);
}

function specOf(fault: string): FaultSpec {
  const kind = KINDS.find((one) => one === fault);
  if (kind !== undefined) return { kind };
  if (!/^\d+$/.test(fault)) throw refusal(EXPECTED, fault, nearest(fault, KINDS));
  return { kind: 'status', status: Number(fault) };
}

const refusal = (expected: string, got: string, suggestion: string | null = null): ConfigurationError =>
  new ConfigurationError({ where: '--fail', expected, got: `"${got}"`, nearest: suggestion });

const marketsOf = (worlds: ReadonlyMap<Exchange, World>): string[] =>
  [...worlds].flatMap(([exchange, world]) => [...new Set(world.series.map(({ symbol }) => `${exchange}:${symbol}`))]);
