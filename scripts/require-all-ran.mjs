// Fails unless every test of a vitest JSON report ran: a full tier that quietly skips a suite proves nothing.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const tests = report.testResults.flatMap((file) =>
  file.assertionResults.map((test) => ({ name: `${file.name}: ${test.fullName}`, status: test.status })),
);
const notRun = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
const emptyFiles = report.testResults
  .filter((file) => file.assertionResults.length === 0)
  .map((file) => ({ name: file.name, status: 'without tests' }));

for (const { name, status } of [...notRun, ...emptyFiles]) console.error(`not run (${status}): ${name}`);
if (tests.length === 0) console.error('the full tier ran no test');
if (tests.length === 0 || notRun.length > 0 || emptyFiles.length > 0) process.exitCode = 1;
else console.log(`the full tier ran all of its ${tests.length} tests`);
