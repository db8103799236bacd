import type { HttpResponse } from '../platform/ports/http.ts';

/** The form of a body, before its meaning is decided. */
export type ResponseBody =
  | { readonly kind: 'markup' } // HTML or XML: a proxy, a firewall, a wrong path
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'truncated' } // begins like JSON and does not end like it
  | { readonly kind: 'text' };

/** Parses a body in the order that works for every exchange: emptiness, markup, JSON. Never throws. */
export function readBody(response: HttpResponse): ResponseBody {
  const text = Buffer.from(response.body).toString('utf8').trim();
  if (text === '') return { kind: 'empty' };
  if (text.startsWith('<')) return { kind: 'markup' };
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (/^[[{]/.test(text)) return { kind: 'truncated' };
    return /^text\/html|xml/.test(response.headers['content-type'] ?? '') ? { kind: 'markup' } : { kind: 'text' };
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
