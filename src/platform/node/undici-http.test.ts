import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BODY_BYTES_MAX, BodyTooLargeError } from '../body-limit.ts';
import { undiciHttp } from './undici-http.ts';

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

let respond: Respond = (_request, response) => void response.end();
const server = createServer((request, response) => respond(request, response));
let http = undiciHttp();
let url = '';
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

beforeEach(async () => {
  process.on('unhandledRejection', note);
  http = undiciHttp();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/candles`;
});
afterEach(async () => {
  await http.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled.splice(0), []);
});

const get = (signal = new AbortController().signal): ReturnType<typeof http.get> =>
  http.get({ url, headers: { 'x-custom': 'yes' } }, signal);

test('a response has its status, lower-case headers, repeated ones joined, and the complete body', async () => {
  let received: IncomingMessage['headers'] = {};
  respond = (request, response) => {
    received = request.headers;
    response.writeHead(429, { 'Retry-After': '7', 'X-Two': ['a', 'b'] });
    response.write('{"half":');
    setImmediate(() => response.end('1}'));
  };
  const { status, headers, body } = await get();
  expect(status).toBe(429);
  expect(headers).toMatchObject({ 'retry-after': '7', 'x-two': 'a, b' });
  expect(Buffer.from(body).toString()).toBe('{"half":1}');
  expect(received).toMatchObject({ 'user-agent': 'candlekeep', accept: 'application/json', 'x-custom': 'yes' });
});

test('a redirect is returned, not followed', async () => {
  respond = (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end();
  expect((await get()).status).toBe(302);
});

test('a response leaves no listener on the signal', async () => {
  respond = (_request, response) => void response.end('{}');
  const { signal } = new AbortController();
  for (let n = 0; n < 3; n++) await get(signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each([
  ['of announced length', { 'content-length': '100' }],
  ['in chunks', {}],
])('a truncated body %s is an error, never a short body', async (_name, headers) => {
  respond = (_request, response) => {
    response.writeHead(200, headers).write('[[1,2');
    setImmediate(() => response.socket?.destroy());
  };
  await expect(get()).rejects.toMatchObject({ code: expect.stringMatching(/^(UND_ERR_|ECONNRESET)/) });
});

test('a body longer or shorter than announced is an error', async () => {
  respond = (_request, response) => void response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort');
  await expect(get()).rejects.toMatchObject({ code: expect.stringMatching(/^UND_ERR_/) });
});

test('a connection closed without a response, or refused, is an error with a code', async () => {
  respond = (_request, response) => void response.socket?.destroy();
  await expect(get()).rejects.toMatchObject({ code: expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/) });
  const closed = url.replace(/:\d+\//, ':1/');
  await expect(http.get({ url: closed }, new AbortController().signal)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test.each([
  ['before the headers', (): void => undefined],
  [
    'in the middle of the body',
    (_request: IncomingMessage, response: ServerResponse): void =>
      void response.writeHead(200, { 'content-length': '100' }).write('['),
  ],
] as const)(
  'a response that stalls %s is aborted immediately with the reason of the signal, and its connection is closed',
  async (_name, stall) => {
    const arrived = Promise.withResolvers<IncomingMessage>();
    respond = (request, response) => {
      stall(request, response);
      arrived.resolve(request);
    };
    const stop = new AbortController();
    const response = get(stop.signal);
    const request = await arrived.promise;
    const hungUp = new Promise((resolve) => request.socket.on('close', resolve)); // `once` would reject on the reset
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(response).rejects.toBe(reason);
    await hungUp;
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  },
);

test('an aborted signal sends nothing', async () => {
  let requests = 0;
  respond = (_request, response) => void (requests++, response.end());
  const reason = new Error('stop');
  await expect(get(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(requests).toBe(0);
});

test('an endless body is aborted', async () => {
  const block = Buffer.alloc(8 * 1024 * 1024);
  respond = (_request, response) => {
    let sent = 0;
    const more = (): void => {
      while (sent < BODY_BYTES_MAX + block.length && !response.destroyed) {
        sent += block.length;
        if (!response.write(block)) return void response.once('drain', more);
      }
    };
    more();
  };
  await expect(get()).rejects.toBeInstanceOf(BodyTooLargeError);
});
