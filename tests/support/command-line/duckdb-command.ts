// Stands in for DuckDB's own command line where a document uses it: `duckdb -csv -c SQL`, on the engine that comes with
// Candlekeep.
import { DuckDBInstance } from '@duckdb/node-api';

const [format, flag, sql, ...others] = process.argv.slice(2);
if (format !== '-csv' || flag !== '-c' || sql === undefined || others.length > 0)
  throw new Error(`only duckdb -csv -c SQL stands in here, not ${process.argv.slice(2).join(' ')}`);
const connection = await (await DuckDBInstance.create()).connect();
const result = await connection.runAndReadAll(sql);
const textOf = (cell: unknown): string => (typeof cell === 'string' ? cell : JSON.stringify(cell));
console.log([result.columnNames(), ...result.getRowsJson()].map((row) => row.map(textOf).join(',')).join('\n'));
