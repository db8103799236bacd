import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to the next mail instead of delivery. */
export type MailFault =
  | { readonly kind: 'reply'; readonly at: 'greeting' | 'auth' | 'mail' | 'rcpt' | 'data'; readonly line: string }
  | { readonly kind: 'silence' } // no greeting
  | { readonly kind: 'reset' }
  | { readonly kind: 'answer-lost' } // accepted, then the connection is reset
  | { readonly kind: 'wrong-protocol' }; // an HTTP response instead of a greeting

/** A mail as received. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Lower-case names; folded lines joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface StandInSmtp {
  /** With user and password where a login is required. */
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** One fault for each of the next connections; later mails are accepted again. */
  faults(faults: readonly MailFault[]): void;
  close(): Promise<void>;
}

export interface SmtpOptions {
  /** Required when given. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** A small SMTP server on loopback: the part of RFC 5321 that one mail needs, and AUTH PLAIN. */
export async function standInSmtp({ login }: SmtpOptions = {}): Promise<StandInSmtp> {
  const received: ReceivedMail[] = [];
  const planned: MailFault[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    converse(socket, { login: login ?? null, fault: planned.shift() ?? null, take: (mail) => received.push(mail) });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const credentials =
    login === undefined ? '' : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`;
  return {
    url: `smtp://${credentials}127.0.0.1:${port}`,
    received,
    faults: (faults) => void planned.push(...faults),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

interface Conversation {
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly fault: MailFault | null;
  readonly take: (mail: ReceivedMail) => void;
}

/** Reads line by line; between DATA and the final dot, lines belong to the mail. */
function converse(socket: Socket, conversation: Conversation): void {
  const { fault } = conversation;
  if (fault?.kind === 'silence') return;
  if (fault?.kind === 'reset') return void socket.resetAndDestroy();
  if (fault?.kind === 'wrong-protocol') return void socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
  const session: Session = {
    ...conversation,
    socket,
    from: '',
    to: [],
    lines: null,
    isLoggedIn: conversation.login === null,
  };
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (session.lines === null) command(session, line);
      else dataLine(session, line, session.lines);
    }
  });
  reply(session, 'greeting', '220 stand-in ESMTP');
}

interface Session extends Conversation {
  readonly socket: Socket;
  from: string;
  to: string[];
  /** Lines of the current mail; null outside DATA. */
  lines: string[] | null;
  isLoggedIn: boolean;
}

function reply({ socket, fault }: Session, at: Extract<MailFault, { kind: 'reply' }>['at'] | null, line: string): void {
  socket.write(`${fault?.kind === 'reply' && fault.at === at ? fault.line : line}\r\n`);
}

function command(session: Session, line: string): void {
  const [verb = '', ...rest] = line.split(' ');
  const [text, angle] = [rest.join(' '), /<([^>]*)>/.exec(line)?.[1] ?? ''];
  switch (verb.toUpperCase()) {
    case 'EHLO':
      return reply(session, null, `250-stand-in\r\n${session.login === null ? '' : '250-AUTH PLAIN\r\n'}250 8BITMIME`);
    case 'HELO':
      return reply(session, null, '250 stand-in');
    case 'AUTH':
      return authenticate(session, text);
    case 'MAIL':
      session.from = angle;
      return reply(session, 'mail', session.isLoggedIn ? '250 OK' : '530 5.7.0 Authentication required');
    case 'RCPT':
      session.to.push(angle);
      return reply(session, 'rcpt', '250 OK');
    case 'DATA':
      session.lines = [];
      return reply(session, null, '354 go on');
    case 'QUIT':
      return void session.socket.end('221 bye\r\n');
    default:
      return reply(session, null, '502 5.5.2 command not known');
  }
}

function authenticate(session: Session, text: string): void {
  const [, user, password] = Buffer.from(text.replace(/^PLAIN /i, ''), 'base64')
    .toString('utf8')
    .split('\0');
  session.isLoggedIn = user === session.login?.user && password === session.login?.password;
  reply(session, 'auth', session.isLoggedIn ? '235 welcome' : '535 5.7.8 bad credentials');
}

function dataLine(session: Session, line: string, lines: string[]): void {
  if (line !== '.') return void lines.push(line.startsWith('.') ? line.slice(1) : line);
  session.lines = null;
  if (session.fault?.kind === 'reply' && session.fault.at === 'data') return reply(session, 'data', '');
  session.take(mailOf(lines, session));
  if (session.fault?.kind === 'answer-lost') session.socket.resetAndDestroy();
  else reply(session, 'data', '250 queued');
}

function mailOf(lines: readonly string[], { from, to }: Session): ReceivedMail {
  const end = lines.indexOf('');
  const head = lines
    .slice(0, end)
    .join('\r\n')
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = Object.fromEntries(
    head.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const raw = lines.slice(end + 1).join('\n');
  return { from, to, headers, body: headers['content-transfer-encoding'] === 'quoted-printable' ? unquoted(raw) : raw };
}

/** RFC 2045 section 6.7. */
const unquoted = (text: string): string =>
  Buffer.from(
    text
      .replaceAll(/=\n/g, '')
      .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
