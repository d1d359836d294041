/**
 * The keys of service.json about descriptors that a service is handed when it starts: sockets that
 * svinit opens for it (systemd.socket(5)), and what it has left for its next run (sd_notify(3),
 * FDSTORE). How they are opened and kept is in supervisor/.
 */
import * as v from 'valibot';
import { quoted } from './names.ts';
import type { ServiceJson } from './service-json.ts';
import { parseSocketAddress, type SocketType } from './socket-address.ts';
import type { Spec } from './spec.ts';
import { type Draft, refuse } from './spec-draft.ts';
import { ACCOUNT } from './spec-privileges.ts';
import { expected, flag, type Key, key, OBJECT, string, type Value, whole } from './spec-values.ts';

/** One socket, as it is written. */
export type SocketJson = {
  readonly listen: string;
  readonly type?: SocketType;
  readonly name?: string;
  readonly mode?: number;
  readonly user?: string;
  readonly group?: string;
  readonly backlog?: number;
  readonly reusePort?: boolean;
  readonly freeBind?: boolean;
  readonly v6only?: boolean;
};

/** One socket as it is opened: what was not written is what systemd has. */
export type SocketSpec = {
  /** For parseSocketAddress, which has accepted it. */
  readonly listen: string;
  readonly type: SocketType;
  /** In LISTEN_FDNAMES. */
  readonly name: string;
  /** Of a socket that is a file: its permissions and who owns it. */
  readonly mode: number;
  readonly user?: string;
  readonly group?: string;
  readonly backlog: number;
  readonly reusePort: boolean;
  readonly freeBind: boolean;
  readonly v6only: boolean;
};

export type SocketKeys = {
  readonly sockets?: readonly SocketJson[];
  readonly fdStoreMax?: number;
  readonly lazy?: boolean;
};

/** Descriptors one service may leave; with its sockets they fit below its limit of 1024. */
export const FD_STORE_MAX = 512;
/** SCM_MAX_FD is 253, and nobody has more doors than this. */
const SOCKETS_MAX = 64;
/** SOMAXCONN of linux/socket.h; net.core.somaxconn cuts off what is more than itself. */
const BACKLOG = 4096;
const BACKLOG_MAX = 65_535;
/** systemd.socket(5), SocketMode=: whoever reaches the file may connect. */
const MODE = 0o666;
const FIRST_FD = 3;

const TYPE_WORDS = 'stream, dgram or seqpacket';
/** sd_is_socket(3) and sd_listen_fds(3): the names stand in one variable, with `:` in between. */
const FDNAME = /^[!-9;-~]{1,64}$/;
const FDNAME_WORDS = "1 to 64 printable characters without a blank or ':'";

const MODE_WORDS = 'octal digits such as "0660"';
const octal: Value<number> = v.pipe(
  string(MODE_WORDS),
  v.regex(/^0?[0-7]{3}$/, expected(MODE_WORDS)),
  v.transform((digits) => Number.parseInt(digits, 8)),
);
const account = (what: string): Value<string> =>
  v.pipe(v.string(expected(what)), v.regex(ACCOUNT, expected(what)));

/** The keys of each element of `sockets`. */
export const SOCKET: v.StrictObjectSchema<v.ObjectEntries, typeof OBJECT> = v.strictObject(
  {
    listen: v.pipe(
      string('an address'),
      v.check(
        (text) => typeof parseSocketAddress(text) !== 'string',
        ({ input }) => `${quoted(String(input))} ${String(parseSocketAddress(String(input)))}`,
      ),
    ),
    type: v.exactOptional(v.picklist(['stream', 'dgram', 'seqpacket'], expected(TYPE_WORDS))),
    name: v.exactOptional(v.pipe(string(FDNAME_WORDS), v.regex(FDNAME, expected(FDNAME_WORDS)))),
    mode: v.exactOptional(octal),
    user: v.exactOptional(account('the name or number of a user')),
    group: v.exactOptional(account('the name or number of a group')),
    backlog: v.exactOptional(whole(1, BACKLOG_MAX)),
    reusePort: v.exactOptional(flag),
    freeBind: v.exactOptional(flag),
    v6only: v.exactOptional(flag),
  },
  OBJECT,
);

export const SOCKET_KEYS: {
  readonly sockets: Key<readonly SocketJson[]>;
  readonly fdStoreMax: Key<number>;
  readonly lazy: Key<boolean>;
} = {
  sockets: key(
    'Sockets that svinit opens for it and keeps while it restarts (sd_listen_fds(3)).',
    v.pipe(
      v.array(SOCKET as unknown as Value<SocketJson>, expected('an array of sockets')),
      v.maxLength(SOCKETS_MAX, expected(`an array of sockets, at most ${SOCKETS_MAX}`)),
    ),
  ),
  fdStoreMax: key(
    'How many descriptors it may leave for its next run (FDSTORE of sd_notify(3)).',
    whole(0, FD_STORE_MAX),
  ),
  lazy: key('It is started by the first connection to one of its sockets.', flag),
};

/** What a service.json says of sockets, where it is whole; problems go to the draft. */
export function socketsOf(draft: Draft): Pick<Spec, 'sockets' | 'fdStoreMax' | 'lazy'> {
  const { json, found } = draft;
  const { sockets = [], fdStoreMax = 0, lazy = false } = json;
  refuseOdd(draft, sockets);
  if (lazy && sockets.length === 0) {
    refuseKey(draft, 'lazy', "'lazy' needs 'sockets' that start it");
  }
  if (lazy && json.essential === true) {
    refuseKey(draft, 'lazy', "'lazy' and 'essential' exclude each other");
  }
  // A name of a service may hold what separates the names.
  const own = found.name.replaceAll(':', '_');
  return {
    ...(sockets.length === 0 ? {} : { sockets: sockets.map((socket) => wholeOf(socket, own)) }),
    ...(fdStoreMax === 0 ? {} : { fdStoreMax }),
    ...(lazy ? { lazy } : {}),
  };
}

/** Descriptors from 3 on that a service may be handed; the first that is free otherwise. */
export const firstFreeFd = ({
  sockets,
  fdStoreMax,
}: Pick<Spec, 'sockets' | 'fdStoreMax'>): number =>
  FIRST_FD + (sockets?.length ?? 0) + (fdStoreMax ?? 0);

/** A descriptor that was asked for by number may not be one that the service is handed. */
export function refuseClash(draft: Draft, spec: Spec): void {
  const free = firstFreeFd(spec);
  if (free === FIRST_FD) return;
  const numbers: (readonly [string, number | undefined])[] = [
    ['notification-fd', spec.ready.by === 'fd' ? spec.ready.fd : undefined],
    ['lock-fd', spec.lockFd],
  ];
  for (const [what, fd] of numbers) {
    if (fd === undefined || fd < FIRST_FD || fd >= free) continue;
    const reason = `${what} is ${fd}, and 3 to ${free - 1} are those of sockets and fdStoreMax`;
    refuseKey(draft, spec.sockets === undefined ? 'fdStoreMax' : 'sockets', reason);
  }
}

const refuseKey = (draft: Draft, path: keyof ServiceJson, reason: string): void =>
  refuse(draft, 'service.json', draft.lineOf(path), reason);

function refuseOdd(draft: Draft, sockets: readonly SocketJson[]): void {
  const seen = new Set<string>();
  for (const [index, socket] of sockets.entries()) {
    const tell = (key: string, reason: string): void =>
      refuse(draft, 'service.json', draft.lineOf(`sockets.${index}.${key}`), reason);
    const address = parseSocketAddress(socket.listen);
    if (typeof address === 'string') continue;
    const isFile = address.family === 'unix' && !address.path.startsWith('@');
    for (const name of isFile ? [] : (['mode', 'user', 'group'] as const)) {
      if (socket[name] !== undefined) tell(name, `${quoted(name)} is for a socket that is a file`);
    }
    const isInet = address.family === 'inet';
    for (const name of isInet ? [] : (['reusePort', 'freeBind', 'v6only'] as const)) {
      if (socket[name] !== undefined) tell(name, `${quoted(name)} is for an internet address`);
    }
    if (socket.v6only !== undefined && isInet && address.bytes.length === 4) {
      tell('v6only', "'v6only' is for an IPv6 address");
    }
    if (isInet && socket.type === 'seqpacket') tell('type', 'seqpacket is for paths and names');
    if (socket.type === 'dgram' && socket.backlog !== undefined) {
      tell('backlog', 'a dgram socket has no backlog');
    }
    const id = `${socket.type === 'dgram' ? 'dgram' : 'stream'} ${socket.listen}`;
    if (seen.has(id)) tell('listen', `${quoted(socket.listen)} is there twice`);
    seen.add(id);
  }
}

function wholeOf(socket: SocketJson, name: string): SocketSpec {
  const { user, group } = socket;
  return {
    listen: socket.listen,
    type: socket.type ?? 'stream',
    name: socket.name ?? name,
    mode: socket.mode ?? MODE,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    backlog: socket.backlog ?? BACKLOG,
    reusePort: socket.reusePort ?? false,
    freeBind: socket.freeBind ?? false,
    v6only: socket.v6only ?? false,
  };
}
