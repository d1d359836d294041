/**
 * A system for stage 1 that is only values: a tree of files, and a kernel that changes it. Every
 * change can be made to fail.
 */
import type { BootFiles, Look } from '../../src/boot/files.ts';
import type { BootPorts, StepResult } from '../../src/boot/stage1.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { fakeLibc } from '../../src/sys/fake.ts';
import { type Kernel, openKernel } from '../../src/sys/kernel.ts';
import { SysError } from '../../src/sys/libc.ts';
import type { Mount } from '../../src/sys/mounts.ts';

/** A directory of root, a device 1:3, a link, or a file with this text. */
export type Node = Partial<Look> & { readonly text?: string };

export const directory = (mode = 0o755, uid = 0): Node => ({ kind: 'directory', mode, uid });
export const device = (major: number, minor: number, mode: number): Node => ({
  kind: 'char',
  mode,
  major,
  minor,
});
/** What it points to is its text; it is not followed. */
export const link = (text: string): Node => ({ kind: 'link', mode: 0o777, text });
export const file = (text: string): Node => ({ text });

/** What is asked before a change is made: the name of an error to fail with, or null. */
export type Fault = (call: string, path: string) => string | null;

export class World {
  readonly nodes: Map<string, Node> = new Map();
  readonly mounts: Mount[] = [];
  readonly told: StepResult[] = [];
  readonly #fault: Fault;
  #umask = 0o077;

  constructor(nodes: Readonly<Record<string, Node>> = {}, fault: Fault = () => null) {
    this.#fault = fault;
    this.nodes.set('/', directory());
    for (const [path, node] of Object.entries(nodes)) this.nodes.set(path, node);
  }

  readonly files: BootFiles = {
    mkdir: (path, mode) => this.#make('mkdir', path, directory(mode & ~this.#umask)),
    symlink: (target, path) => this.#make('symlink', path, link(target)),
    chmod: (path, mode) => {
      this.#ask('chmod', path);
      this.nodes.set(path, { ...this.#found('chmod', path), mode });
    },
    write: (path, text) => {
      this.#ask('open', path);
      this.nodes.set(path, { ...this.#found('open', path), text });
    },
    read: (path) => this.nodes.get(path)?.text ?? null,
    readlink: (path) => {
      const node = this.nodes.get(path);
      return node?.kind === 'link' ? (node.text ?? null) : null;
    },
    look: (path) => this.#look(path),
    lookAt: (path) => this.#look(path),
    writable: (path) =>
      (this.nodes.get(path)?.mode ?? 0) > 0 && this.#fault('access', path) === null,
  };

  readonly kernel: Kernel = {
    ...openKernel(fakeLibc()),
    geteuid: () => 0,
    mount: (mount) => {
      this.#askKernel('mount', mount.target, `mount ${mount.type} on ${mount.target}`);
      this.mounts.push(mount);
    },
    mknod: (path, _kind, mode, major, minor) => {
      this.#askKernel('mknod', path, `make the device ${path}`);
      const what = `make the device ${path}`;
      if (this.nodes.has(path)) throw new SysError('mknod', errnoNumber('EEXIST'), what);
      this.nodes.set(path, device(major, minor, mode & ~this.#umask));
    },
  };

  ports(): BootPorts {
    const { files, kernel } = this;
    return { files, kernel, report: (result) => this.told.push(result) };
  }

  #look(path: string): Look | null {
    const node = this.nodes.get(path);
    if (node === undefined) return null;
    return { kind: 'other', mode: 0o644, uid: 0, major: 0, minor: 0, filesystem: 1, ...node };
  }

  #make(call: string, path: string, node: Node): void {
    this.#ask(call, path);
    if (this.nodes.has(path)) throw fsError(call, 'EEXIST', path);
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (!this.nodes.has(parent)) throw fsError(call, 'ENOENT', path);
    this.nodes.set(path, node);
  }

  #found(call: string, path: string): Node {
    const node = this.nodes.get(path);
    if (node === undefined) throw fsError(call, 'ENOENT', path);
    return node;
  }

  #ask(call: string, path: string): void {
    const code = this.#fault(call, path);
    if (code !== null) throw fsError(call, code, path);
  }

  #askKernel(call: 'mknod' | 'mount', path: string, what: string): void {
    const code = this.#fault(call, path);
    if (code !== null) throw new SysError(call, errnoNumber(code), what);
  }
}

/** As node:fs throws them. */
function fsError(syscall: string, code: string, path: string): Error {
  return Object.assign(new Error(`${code}: refused, ${syscall} '${path}'`), {
    code,
    syscall,
    path,
  });
}
