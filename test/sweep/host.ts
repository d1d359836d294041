/**
 * What svinit asks of its runtime instead of the C library, led to the machine while there is one:
 * timers, signal handlers, listening, /proc, and the few files below /run/svinit. Without a machine
 * everything is Node's own, so that the test runner does not notice.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import vm from 'node:vm';
import type { Machine } from './machine.ts';
import { statText } from './proc.ts';

let current: Machine | null = null;

/** From here on the runtime is that of `machine`; null gives it back. */
export function use(machine: Machine | null): void {
  current = machine;
}

const RUN = '/run/svinit/';
/** One disk, which is busy to the last. */
const MOUNTINFO = `1 1 0:1 / / rw - rootfs rootfs rw
2 1 8:1 / /data rw - ext4 /dev/sda1 rw
`;

const PROC_ENTRY = /^\/proc(?:\/([0-9]+)\/(stat|cmdline|fd\/[0-9]+))?$/;
/** svinit's own descriptors. */
const OWN_ENTRY = /^\/proc\/1\/fd(?:\/([0-9]+))?$/;

/** Leads everything to `use`; once a process. */
export function takeOver(): void {
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  Object.assign(globalThis, {
    setTimeout: (act: () => void, ms = 0, ...rest: unknown[]) =>
      current === null
        ? Reflect.apply(setTimeout, globalThis, [act, ms, ...rest])
        : current.after(Math.max(1, ms), act, current.image),
    clearTimeout: (timer: never) =>
      current === null ? clearTimeout(timer) : current.cancel(timer),
    setImmediate: (act: () => void, ...rest: unknown[]) =>
      current === null
        ? Reflect.apply(setImmediate, globalThis, [act, ...rest])
        : current.soon(act, current.image),
  });
  const { on } = process;
  Object.assign(process, {
    on: (name: string, act: () => void) => {
      if (current === null || !name.startsWith('SIG'))
        return Reflect.apply(on, process, [name, act]);
      current.image.handlers.set(name, act);
      return process;
    },
  });
  // What gives memory back would have each of thousands of lives compiled anew.
  vm.runInNewContext = () => null;
  takeFiles();
  takeSockets();
  syncBuiltinESMExports();
}

function fail(code: string, syscall: string, path: string): never {
  throw Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall, path });
}

function takeFiles(): void {
  const { lstatSync, readdirSync, readFileSync, readlinkSync, unlinkSync } = fs;
  const below = (path: unknown): path is string =>
    current !== null && typeof path === 'string' && path.startsWith(RUN);
  const inProc = (path: unknown) =>
    current === null || typeof path !== 'string' ? null : PROC_ENTRY.exec(path);
  Object.assign(fs, {
    lstatSync: (path: string, ...rest: unknown[]) => {
      if (!below(path)) return Reflect.apply(lstatSync, fs, [path, ...rest]);
      const kind = current?.nodes.get(path);
      if (kind === undefined) return undefined;
      const uid = process.geteuid?.();
      return { isFIFO: () => kind === 'fifo', isDirectory: () => false, uid };
    },
    unlinkSync: (path: string) => {
      if (!below(path)) return unlinkSync(path);
      if (current?.nodes.delete(path) !== true) fail('ENOENT', 'unlink', path);
    },
    readdirSync: (path: string, ...rest: unknown[]) => {
      if (current !== null && path === '/sys/block') return [];
      if (current !== null && OWN_ENTRY.test(path)) return [...current.fds.keys()].map(String);
      if (inProc(path) === null) return Reflect.apply(readdirSync, fs, [path, ...rest]);
      return ['1', 'self', ...[...(current?.processes.all.keys() ?? [])].map(String)];
    },
    readFileSync: (path: string, ...rest: unknown[]) => {
      if (current !== null && path === '/proc/self/mountinfo') return MOUNTINFO;
      const [, pid, file] = inProc(path) ?? [];
      if (current === null || pid === undefined) {
        return Reflect.apply(readFileSync, fs, [path, ...rest]);
      }
      const child = current.processes.all.get(Number(pid)) ?? fail('ENOENT', 'open', path);
      if (file === 'stat') return statText(child);
      return child.state === 'zombie' ? '' : `${child.program}\0`;
    },
    readlinkSync: (path: string, ...rest: unknown[]) => {
      const own = current === null ? null : OWN_ENTRY.exec(path);
      if (current !== null && own?.[1] !== undefined) return linkOf(current, Number(own[1]));
      const [, pid] = inProc(path) ?? [];
      if (current === null || pid === undefined) {
        return Reflect.apply(readlinkSync, fs, [path, ...rest]);
      }
      return current.processes.all.get(Number(pid))?.output ?? fail('ENOENT', 'readlink', path);
    },
  });
}

/** How /proc shows an open file. */
function linkOf(machine: Machine, fd: number): string {
  const label = machine.fds.get(fd)?.file.label ?? fail('ENOENT', 'readlink', String(fd));
  if (label.startsWith('open ')) return label.slice(5);
  if (label.startsWith('socket') || label === 'connection') return `socket:[${fd}]`;
  return label.startsWith('memory ') ? `/memfd:${label.slice(7)} (deleted)` : `${label}:[${fd}]`;
}

/** A server whose connections come from `connect` of client.ts. */
function takeSockets(): void {
  const { createServer } = net;
  Object.assign(net, {
    createServer: (accept: (socket: unknown) => void, ...rest: unknown[]) => {
      const machine = current;
      if (machine === null) return Reflect.apply(createServer, net, [accept, ...rest]);
      const { image } = machine;
      let listening = -1;
      return {
        on: () => {},
        listen: ({ fd }: { fd: number }) => {
          listening = fd;
          image.servers.set(fd, accept);
        },
        close: () => {
          image.servers.delete(listening);
          machine.close(listening);
        },
      };
    },
  });
}
