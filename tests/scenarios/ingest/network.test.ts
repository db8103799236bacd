import { readFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../../src/platform/node/system-clock.ts';
import { undiciHttp } from '../../../src/platform/node/undici-http.ts';
import { DIRECT, type NetworkSettings } from '../../../src/platform/network-settings.ts';
import { translateTransport } from '../../../src/exchanges/transport-errors.ts';
import type { ResponseReply } from '../../../src/simulation/stand-ins/reply.ts';
import { standInBinance } from '../../../src/simulation/stand-ins/stand-in-binance.ts';
import { candlekeep } from '../../support/command-line/command-line.ts';
import { BINANCE_RECORDINGS } from '../../support/simulated.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const fixture = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');
const CERTIFICATE = fixture('loopback-cert.pem');

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) (server as ReturnType<typeof createProxy>).closeAllConnections();
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** An https server whose response names the client address. */
const tlsServer = () =>
  listening(
    createTlsServer({ key: fixture('loopback-key.pem'), cert: CERTIFICATE }, (request, response) =>
      response.end(request.socket.remoteAddress),
    ),
  );

/** The stand-in exchange behind https, and the client addresses of its requests. */
async function tlsExchange(): Promise<{ readonly url: string; readonly callers: ReadonlySet<string> }> {
  const { handle } = standInBinance({ world: BINANCE_RECORDINGS });
  const callers = new Set<string>();
  const port = await listening(
    createTlsServer({ key: fixture('loopback-key.pem'), cert: CERTIFICATE }, (request, response) => {
      callers.add(request.socket.remoteAddress ?? '');
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://stand-in');
      const reply = handle(
        { method: 'GET', path: pathname, query: searchParams, headers: {}, body: Buffer.alloc(0) },
        realClock.nowMs(),
      ) as ResponseReply;
      response.writeHead(reply.status, { ...reply.headers }).end(reply.body);
    }),
  );
  return { url: `https://127.0.0.1:${port}`, callers };
}

/** A tunnelling proxy, and the targets of its tunnels. */
async function tunnellingProxy(): Promise<{ readonly url: string; readonly tunnels: readonly string[] }> {
  const tunnels: string[] = [];
  const proxy = createProxy();
  proxy.on(
    'connect',
    (request: { url?: string }, client: NodeJS.WritableStream & NodeJS.ReadableStream, head: Uint8Array) => {
      const [host = '', port = ''] = (request.url ?? '').split(':');
      tunnels.push(request.url ?? '');
      const upstream = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.end());
      client.on('error', () => upstream.destroy());
    },
  );
  return { url: `http://127.0.0.1:${await listening(proxy)}`, tunnels };
}

async function remoteAddress(url: string, network: Partial<NetworkSettings>): Promise<string> {
  const http = undiciHttp({ ...DIRECT, ...network });
  onTestFinished(() => http.close());
  return Buffer.from((await http.get({ url }, new AbortController().signal)).body).toString('utf8');
}

test('a self-signed certificate is CONNECTION_FAILED, and trusted with the CA file', async () => {
  const url = `https://127.0.0.1:${await tlsServer()}`;
  const refused: unknown = await remoteAddress(url, {}).catch((error: unknown) => translateTransport(error, 'binance'));
  expect(refused).toMatchObject({ code: 'CONNECTION_FAILED' });
  expect(await remoteAddress(url, { caPem: CERTIFICATE })).toBe('127.0.0.1');
});

test('HTTPS_PROXY tunnels https, NO_PROXY bypasses it', async () => {
  const port = await tlsServer();
  const { url, tunnels } = await tunnellingProxy();
  expect(await remoteAddress(`https://127.0.0.1:${port}`, { caPem: CERTIFICATE, httpsProxy: url })).toBe('127.0.0.1');
  expect(tunnels).toEqual([`127.0.0.1:${port}`]);
  await remoteAddress(`https://127.0.0.1:${port}`, { caPem: CERTIFICATE, httpsProxy: url, noProxy: '127.0.0.1' });
  expect(tunnels).toHaveLength(1);
});

test('an egress with a proxy carries every request; an egress with a local address is the client address', async () => {
  const port = await tlsServer();
  const { url, tunnels } = await tunnellingProxy();
  await remoteAddress(`https://127.0.0.1:${port}`, { caPem: CERTIFICATE, egress: { name: 'office', proxyUrl: url } });
  expect(tunnels).toEqual([`127.0.0.1:${port}`]);
  expect(
    await remoteAddress(`https://127.0.0.1:${port}`, {
      caPem: CERTIFICATE,
      egress: { name: 'home', localAddress: '127.0.0.2' },
    }),
  ).toBe('127.0.0.2');
});

test('an unreachable proxy is CONNECTION_FAILED', async () => {
  const refused: unknown = await remoteAddress('https://binance.test', { httpsProxy: 'http://127.0.0.1:1' }).catch(
    (error: unknown) => translateTransport(error, 'binance'),
  );
  expect(refused).toMatchObject({ code: 'CONNECTION_FAILED' });
});

test('a command reaches its exchange through the configured HTTPS_PROXY, CA file and egress', async () => {
  const [exchange, proxy] = [await tlsExchange(), await tunnellingProxy()];
  const host = exchange.url.slice('https://'.length);
  const backfill = (env: Readonly<Record<string, string>>) =>
    candlekeep(['backfill', '--start', '2024-06-01', '--end', '2024-06-02', '--symbol', 'BTC/USDT'], {
      env: { CANDLEKEEP_BINANCE_URL: exchange.url, CANDLEKEEP_CA_FILE: join(FIXTURES, 'loopback-cert.pem'), ...env },
    });
  expect(await backfill({})).toMatchObject({ exit: 0 });
  expect(proxy.tunnels).toEqual([]);
  expect(await backfill({ HTTPS_PROXY: proxy.url })).toMatchObject({ exit: 0 });
  expect(new Set(proxy.tunnels)).toEqual(new Set([host]));
  const tunnelled = proxy.tunnels.length;
  expect(await backfill({ HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' })).toMatchObject({ exit: 0 });
  expect(proxy.tunnels).toHaveLength(tunnelled);
  expect(await backfill({ CANDLEKEEP_EGRESS: `office=${proxy.url}` })).toMatchObject({ exit: 0 });
  expect(proxy.tunnels.length).toBeGreaterThan(tunnelled);
  expect(await backfill({ CANDLEKEEP_EGRESS: 'home=127.0.0.2' })).toMatchObject({ exit: 0 });
  expect(exchange.callers).toEqual(new Set(['127.0.0.1', '127.0.0.2']));
});
