import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { redacted, redactorOf } from './redaction.ts';
import { redactNothing } from './ports/redact.ts';

test('a registered value is redacted in plain text, JSON, addresses and basic authentication', () => {
  const password = 'p"a/s s%w';
  const redact = redactorOf([`https://user:${encodeURIComponent(password)}@host.test/in?x=1`]);
  const basic = Buffer.from(`user:${password}`).toString('base64');
  for (const form of [password, JSON.stringify({ password }), encodeURIComponent(password), `Basic ${basic}`])
    expect(redact(`before ${form} after`)).toMatch(/\*{8}/);
  for (const form of [password, JSON.stringify(password).slice(1, -1), encodeURIComponent(password), basic])
    expect(redact(`x ${form} y`)).not.toContain(form);
});

test('the path of a secret address is redacted; its host and a short path are not', () => {
  const redact = redactorOf(['https://hooks.slack.test/services/T0/B0/abcdef', 'https://own.test/alerts']);
  expect(redact('POST /services/T0/B0/abcdef to hooks.slack.test')).toBe('POST ******** to hooks.slack.test');
  expect(redact('candlekeep /alerts')).toBe('candlekeep /alerts');
  expect(
    redactorOf(['https://hc.test/ping/0c5b1d4e-9d2f-4e21-8a55-1f1f3c0d2a77'])(
      'uuid 0c5b1d4e-9d2f-4e21-8a55-1f1f3c0d2a77 of ping',
    ),
  ).toBe('uuid ******** of ping');
});

test('signatures and keys in a query are masked without registration', () => {
  expect(redactNothing('x')).toBe('x');
  expect(redactorOf([])('GET /x?symbol=BTC&signature=0a1b2c&apikey=zz')).toBe(
    'GET /x?symbol=BTC&signature=********&apikey=********',
  );
});

test('values too short to be a secret are not masked', () => {
  expect(redactorOf(['', 'abc'])('abc')).toBe('abc');
});

test('no secret survives in any text or structure', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constant('\ud800')),
        minLength: 6,
        maxLength: 40,
      }),
      fc.string(),
      fc.string(),
      (secret, before, after) => {
        fc.pre(!'********'.includes(secret));
        const value = redacted({ list: [`${before}${secret}${after}`], nested: { secret } }, redactorOf([secret]));
        expect(value.nested.secret).not.toContain(secret);
        expect(value.list[0]?.split('********').some((part) => part === secret)).toBe(false);
      },
    ),
  );
});
