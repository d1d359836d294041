/**
 * Boots of one kernel in QEMU with one processor: from QEMU's start until 50 services have started,
 * each under an init that does nothing else. The archives hold what the init needs and no more;
 * svinit's is its image without the services it brings along. None is compressed, for an emulated
 * processor takes longer to unpack one than QEMU to load it. The limits are the runtimes as PID 1
 * with a loop of svinit's own starts (limit.ts), so that what svinit takes beyond is its own.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Runtime } from '../compile.ts';
import { cpio } from '../cpio.ts';
import { type Entry, parentsOf } from '../entries.ts';
import { KERNEL } from '../modules.ts';
import { accelerator, qemuCommand } from '../qemu.ts';
import { rootEntries } from '../rootfs.ts';
import type { Samples } from './measure.ts';
import { eachIn, type Files, names, type Peer, type Services } from './peer.ts';
import { limitBun, limitNode } from './peers/limit.ts';
import { bun, node } from './peers/svinit.ts';

const SERVICES: Services = { count: 50, program: 'tick' };
const WITHIN_MS = 120_000;
const PEERS = 'build/bench/peers';

type Boot = { readonly peer: string; readonly entries: () => Promise<readonly Entry[]> };

const BOOTS: readonly Boot[] = [
  { peer: 'busybox init', entries: async () => small(INITTAB, [], 'exec /bin/busybox init') },
  {
    peer: 'runit',
    entries: async () => small(directories('service'), RUNIT, 'exec /usr/bin/runsvdir /service'),
  },
  {
    peer: 's6',
    entries: async () => small(directories('service'), S6, 'exec /usr/bin/s6-svscan /service'),
  },
  { peer: limitBun.name, entries: async () => limit(limitBun, BUN, 'limit-bun') },
  { peer: limitNode.name, entries: async () => limit(limitNode, NODE, 'limit-node') },
  { peer: bun.name, entries: () => ours('bun') },
  { peer: node.name, entries: () => ours('node') },
];

/** One job a peer, where there are a kernel and the packages. */
export function boots(): { peer: string; run: () => Promise<Samples> }[] {
  const able = BOOTS.filter(({ peer }) => peer.startsWith('svinit') || existsSync(PEERS));
  return able.map((boot) => ({ peer: boot.peer, run: () => measure(boot) }));
}

async function measure({ peer, entries }: Boot): Promise<Samples> {
  mkdirSync('build/bench/boot', { recursive: true });
  const initrd = `build/bench/boot/${peer.replaceAll(/\W+/g, '-')}.cpio`;
  if (!made.has(initrd)) writeFileSync(initrd, cpio(await entries(), 0));
  made.add(initrd);
  const [program = '', ...args] = qemuCommand({
    accelerator: await accelerator(),
    kernel: KERNEL,
    initrd,
    append: 'quiet',
    serial: 'stdio',
  });
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const timer = setTimeout(() => qemu.kill('SIGKILL'), WITHIN_MS);
    let told = '';
    let samples: Samples | null = null;
    qemu.stdout.on('data', (data: Buffer) => {
      told += data.toString('latin1');
      const found = /bench: up at (\d+)\s/.exec(told);
      if (found === null || samples !== null) return;
      const seconds = (performance.now() - began) / 1000;
      samples = { boot: [seconds], 'boot-kernel': [Number(found[1]) / 1e9] };
      qemu.kill('SIGKILL');
    });
    qemu.once('close', () => {
      clearTimeout(timer);
      if (samples === null) reject(new Error(`It did not boot: ${told.slice(-300)}`));
      else resolve(samples);
    });
  });
}

const made = new Set<string>();

/** The image of svinit without its services, and ours in their place. */
async function ours(runtime: Runtime): Promise<readonly Entry[]> {
  const binary = `build/${runtime}/svinit`;
  const all = await rootEntries({
    binary,
    busybox: 'build/busybox/busybox',
    ash: 'build/busybox/ash',
  });
  const kept = all.filter(({ path }) => !path.startsWith('usr/lib/svinit/services/'));
  return complete([...kept, ...entriesOf(directories('etc/svinit/services')), ...common()]);
}

/** A runtime with its program as PID 1, which Debian's root of the peers does not have. */
function limit({ env, init }: Peer, libraries: readonly string[], own: string): readonly Entry[] {
  const paths = libraries.map((name) => `${LIBRARIES}/${name}`);
  const set = Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`);
  const command = ['exec', '/bin/busybox', 'env', ...set, ...init(SERVICES)].join(' ');
  const binary = file(`usr/lib/bench/${own}`, program(own));
  return complete([...small({}, paths, `${WATCH} &\n${command}`), binary]);
}

/** The files of an init that is a few programs, below a script that mounts and executes it. */
function small(files: Files, programs: readonly string[], execute: string): readonly Entry[] {
  const script = ['#!/bin/busybox sh', ...MOUNTS, execute, ''].join('\n');
  return complete([
    ...programs.map((path) => file(path, readFileSync(`${PEERS}/${path}`))),
    // The link there is absolute, and would lead to the loader of this machine.
    ...(programs.length > 0 ? [file('lib64/ld-linux-x86-64.so.2', library(LOADER))] : []),
    file('bin/busybox', readFileSync('build/busybox/busybox')),
    file('init', script),
    ...['proc', 'sys', 'run', 'dev'].map(
      (path): Entry => ({ type: 'directory', path, mode: 0o755 }),
    ),
    { type: 'node', path: 'dev/console', mode: 0o600, device: 'character', major: 5, minor: 1 },
    ...entriesOf(files),
    ...common(),
  ]);
}

const MOUNTS = [
  '/bin/busybox mount -t proc proc /proc',
  '/bin/busybox mount -t sysfs sysfs /sys',
  '/bin/busybox mount -t devtmpfs devtmpfs /dev',
  '/bin/busybox mount -t tmpfs tmpfs /run',
];

const WATCH = '/usr/lib/bench/meter console 50';

const INITTAB: Files = {
  'etc/inittab': [
    ...names(SERVICES).map((name) => `::respawn:/usr/lib/bench/tick ${name}`),
    `::once:${WATCH}`,
    '',
  ].join('\n'),
};

const directories = (parent: string): Files => ({
  ...eachIn(parent, SERVICES, () => ({ run: { program: 'tick' } })),
  [`${parent}/watch/run`]: `#!/bin/${parent === 'service' ? 'busybox ' : ''}sh\nexec ${WATCH}\n`,
});

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const LOADER = 'ld-linux-x86-64.so.2';
const RUNIT = ['usr/bin/runsvdir', 'usr/bin/runsv', `${LIBRARIES}/libc.so.6`];
const S6 = [
  ...['usr/bin/s6-svscan', 'usr/bin/s6-supervise'],
  ...['libc.so.6', 'libs6.so.2.11', 'libskarnet.so.2.13', 'libexecline.so.2.9'].map(
    (name) => `${LIBRARIES}/${name}`,
  ),
];

const BUN = ['libc.so.6', 'libpthread.so.0', 'libdl.so.2', 'libm.so.6'];
const NODE = [...BUN, 'libatomic.so.1', 'libstdc++.so.6', 'libgcc_s.so.1'];

const library = (name: string): Uint8Array => readFileSync(`${PEERS}/${LIBRARIES}/${name}`);

/** What leaves stamps, and what waits for them. */
function common(): readonly Entry[] {
  return [
    { type: 'file', path: 'bench/stamps', mode: 0o666, content: new Uint8Array() },
    ...['tick', 'meter'].map((name) => file(`usr/lib/bench/${name}`, program(name))),
  ];
}

function program(name: string): Uint8Array {
  return readFileSync(`build/bench/programs/${name}`);
}

function entriesOf(files: Files): Entry[] {
  return Object.entries(files).map(([path, content]) => {
    if (typeof content === 'string') return file(path, content);
    if ('link' in content) return { type: 'link', path, mode: 0o777, target: content.link };
    return file(path, program(content.program));
  });
}

function file(path: string, content: string | Uint8Array): Entry {
  const mode = basename(path).includes('.') && !path.includes('.so.') ? 0o644 : 0o755;
  return { type: 'file', path, mode, content: Buffer.from(content) };
}

/** With the directories above. */
function complete(entries: readonly Entry[]): readonly Entry[] {
  return [...parentsOf(entries), ...entries];
}
