/**
 * Where a socket listens, as a person writes it (systemd.socket(5), ListenStream=): a port, an
 * address with a port, a path, or a name that begins with `@`. Only literal addresses: looking up a
 * name may take for ever, and PID 1 has no time for that.
 */

export type SocketAddress =
  /** The path of a file, or behind `@` a name that is no file (unix(7), "abstract"). */
  | { readonly family: 'unix'; readonly path: string }
  /** Four bytes of IPv4, or sixteen of IPv6. */
  | { readonly family: 'inet'; readonly bytes: readonly number[]; readonly port: number };

export type SocketType = 'stream' | 'dgram' | 'seqpacket';

/** sun_path of linux/un.h has 108 bytes, one of which is a NUL: the last, or the first. */
const PATH_BYTES_MAX = 107;
const PORT_MAX = 65_535;
const ANY: readonly number[] = Array(16).fill(0);

/** The address of `text`, or in words what is wrong with it. */
export function parseSocketAddress(text: string): SocketAddress | string {
  if (text.startsWith('/') || text.startsWith('@')) return unixAddress(text);
  const colon = text.lastIndexOf(':');
  const host = colon < 0 ? '*' : text.slice(0, colon);
  const port = portOf(colon < 0 ? text : text.slice(colon + 1));
  if (port === null) return `has no port from 1 to ${PORT_MAX}`;
  const inner = /^\[(.*)\]$/.exec(host)?.[1];
  const bytes = host === '*' ? ANY : inner === undefined ? ipv4(host) : ipv6(inner);
  if (bytes !== null) return { family: 'inet', bytes, port };
  if (inner !== undefined) return 'is no literal IPv6 address';
  return host.includes(':') ? 'has an IPv6 address without [ ]' : 'is no literal IPv4 address';
}

/** Every address of this machine, of both kinds. */
export const isAnyAddress = (bytes: readonly number[]): boolean =>
  bytes.length === 16 && bytes.every((byte) => byte === 0);

function unixAddress(text: string): SocketAddress | string {
  if (text.includes('\0')) return 'holds a NUL character';
  if (text === '@' || text.endsWith('/')) return 'names no socket';
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(text)) return "has '.' or '..' in it";
  const bytes = utf8Length(text);
  if (bytes > PATH_BYTES_MAX) return `has ${bytes} bytes, the most is ${PATH_BYTES_MAX}`;
  return { family: 'unix', path: text };
}

/** In bytes; core knows no encoder. */
function utf8Length(text: string): number {
  const length = (code: number): number =>
    code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  return [...text].reduce((sum, character) => sum + length(character.codePointAt(0) ?? 0), 0);
}

function portOf(text: string): number | null {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= PORT_MAX ? port : null;
}

/** Four decimal numbers, without leading zeros: inet_aton(3) takes those for octal. */
function ipv4(text: string): readonly number[] | null {
  const parts = text.split('.');
  const isNumber = (part: string): boolean => /^(?:0|[1-9][0-9]{0,2})$/.test(part);
  if (parts.length !== 4 || !parts.every(isNumber)) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** RFC 4291, 2.2: groups of four digits, one run of zeros as `::`, the last four bytes as IPv4. */
function ipv6(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = [halves[0] ?? '', halves[1]].map((half, index, all) =>
    half === undefined ? [] : groups(half, index === all.length - 1 || all[1] === undefined),
  );
  if (head === null || tail === null || head === undefined || tail === undefined) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : null;
  // What stands for zeros stands for one group at least.
  return missing < 2 ? null : [...head, ...Array<number>(missing).fill(0), ...tail];
}

function groups(text: string, isLast: boolean): readonly number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const bytes: number[] = [];
  for (const [index, part] of parts.entries()) {
    const v4 = isLast && index === parts.length - 1 && part.includes('.') ? ipv4(part) : null;
    if (v4 !== null) bytes.push(...v4);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) {
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 0xff);
    } else return null;
  }
  return bytes;
}
