// Writes what documents say from code. tests/architecture/documents.test.ts fails when one is behind.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { faultsDocument, runbookPage, runbookPath } from '../src/errors/catalogue.ts';
import { monitoringFiles } from '../src/metrics/monitoring-files.ts';
import { RULE_CODES, ruleRunbookPage, ruleRunbookPath } from '../src/metrics/rules.ts';
import { FAULT_CODES } from '../src/errors/table.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const textOf = (path: string): string => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '');

writeFileSync(at('docs/faults.md'), faultsDocument());
for (const code of FAULT_CODES) writeFileSync(at(runbookPath(code)), runbookPage(code, textOf(runbookPath(code))));
for (const code of RULE_CODES)
  writeFileSync(at(ruleRunbookPath(code)), ruleRunbookPage(code, textOf(ruleRunbookPath(code))));
for (const { path, text } of monitoringFiles()) {
  mkdirSync(dirname(fileURLToPath(at(`examples/monitoring/${path}`))), { recursive: true });
  writeFileSync(at(`examples/monitoring/${path}`), text);
}
