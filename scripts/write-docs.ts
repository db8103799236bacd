// Writes the documents that are made from code. tests/architecture/documents.test.ts fails when one is behind.
import { writeFileSync } from 'node:fs';
import { faultsDocument } from '../src/faults/taxonomy/catalogue.ts';

writeFileSync(new URL('../docs/faults.md', import.meta.url), faultsDocument());
