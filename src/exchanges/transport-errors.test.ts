import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { BodyTooLargeError } from '../platform/body-limit.ts';
import { DIRECT } from '../platform/network-settings.ts';
import { undiciHttp } from '../platform/node/undici-http.ts';
import { CancelledError } from '../errors/classify.ts';
import { translateTransport } from './transport-errors.ts';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EPROTO',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'HPE_INVALID_CONSTANT',
  'Z_BUF_ERROR',
])('%s is CONNECTION_FAILED, on its own and as a cause', (code) => {
  expect(translateTransport(coded(code), 'okx')).toMatchObject({
    code: 'CONNECTION_FAILED',
    facts: { exchange: 'okx', status: null, venueCode: code },
  });
  expect(translateTransport(new Error('fetch failed', { cause: coded(code) }), 'okx')).toMatchObject({
    code: 'CONNECTION_FAILED',
  });
  expect(translateTransport(new AggregateError([coded(code)]), 'okx')).toMatchObject({ code: 'CONNECTION_FAILED' });
});

test.each(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])(
  '%s is REQUEST_TIMEOUT',
  (code) => {
    expect(translateTransport(coded(code), 'okx')).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  },
);

test('a body that never ends is SCHEMA_MISMATCH, not a defect', () => {
  expect(translateTransport(new BodyTooLargeError('too large'), 'okx')).toMatchObject({ code: 'SCHEMA_MISMATCH' });
});

test('a cancellation and a defect are no fault of the exchange', () => {
  for (const error of [new CancelledError('stop'), new TypeError('ours'), 'text'])
    expect(translateTransport(error, 'okx')).toBeNull();
});

test('a proxy that refuses to tunnel is CONNECTION_FAILED, not a cancellation', async () => {
  const proxy = createServer();
  proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const http = undiciHttp({ ...DIRECT, httpsProxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  onTestFinished(async () => {
    await http.close();
    proxy.close();
  });
  const thrown: unknown = await http
    .get({ url: 'https://okx.test' }, new AbortController().signal)
    .catch((error: unknown) => translateTransport(error, 'okx'));
  expect(thrown).toMatchObject({ code: 'CONNECTION_FAILED' });
});
