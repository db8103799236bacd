import { expect, test } from 'vitest';
import { serve, type MonitoringSite } from './server.ts';

const site: MonitoringSite = {
  token: 'the-token',
  isMetricsOpen: false,
  hostNames: ['127.0.0.1', 'localhost'],
  isHealthy: () => Promise.resolve(true),
  metrics: () => Promise.resolve('pipeline_x 1\n'),
};
const request = (
  path: string,
  {
    headers = {},
    method = 'GET',
    ...over
  }: Partial<MonitoringSite> & { readonly headers?: Record<string, string>; readonly method?: string } = {},
) => serve({ ...site, ...over }, { method, path, headers: { host: '127.0.0.1:4680', ...headers } });
const BEARER = { authorization: 'Bearer the-token' };

test('/healthz is open, by its exact path, and says when something is wrong', async () => {
  expect(await request('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await request('/healthz', { isHealthy: () => Promise.resolve(false) })).toMatchObject({ status: 503 });
  for (const path of ['/healthz/', '/x/healthz', '/healthz/metrics', '//healthz', '/HEALTHZ'])
    expect(await request(path), path).toMatchObject({ status: 401 });
});

test('/metrics needs the token, unless it is configured to be open', async () => {
  expect(await request('/metrics')).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
  for (const authorization of [
    'Bearer the-toke',
    'Bearer the-token ',
    'Basic the-token',
    'the-token',
    'bearer the-token',
  ])
    expect(await request('/metrics', { headers: { authorization } }), authorization).toMatchObject({ status: 401 });
  const found = {
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: 'pipeline_x 1\n',
  };
  expect(await request('/metrics', { headers: BEARER })).toEqual(found);
  expect(await request('/metrics', { isMetricsOpen: true })).toEqual(found);
  expect(await request('/metrics', { headers: BEARER, method: 'POST' })).toMatchObject({ status: 405 });
});

test('nothing else is there, and who has no token does not learn that', async () => {
  for (const path of ['/', '/events', '/api/v1/runs', '/metrics/x', '/../etc/passwd']) {
    expect(await request(path), path).toMatchObject({ status: 401 });
    expect(await request(path, { headers: BEARER }), path).toMatchObject({ status: 404 });
  }
});

test('a page that points its own name at this machine is not answered', async () => {
  for (const host of ['evil.test', 'evil.test:4680', '127.0.0.1.evil.test', ''])
    expect(await request('/healthz', { headers: { host } }), host).toMatchObject({ status: 421 });
  for (const host of ['127.0.0.1:4680', 'LOCALHOST:4680'])
    expect(await request('/healthz', { headers: { host } }), host).toMatchObject({ status: 200 });
  expect(await request('/healthz', { headers: { host: 'data.example.org' }, hostNames: null })).toMatchObject({
    status: 200,
  });
});
