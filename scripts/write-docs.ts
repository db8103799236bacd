// Writes what documents say from code. tests/architecture/documents.test.ts fails when one is behind.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { faultsDocument, runbookPage, runbookPath } from '../src/faults/taxonomy/catalogue.ts';
import { FAULT_CODES } from '../src/faults/taxonomy/table.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const textOf = (path: string): string => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '');

writeFileSync(at('docs/faults.md'), faultsDocument());
for (const code of FAULT_CODES) writeFileSync(at(runbookPath(code)), runbookPage(code, textOf(runbookPath(code))));
