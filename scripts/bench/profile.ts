/**
 * `node scripts/bench/profile.ts`: where PID 1's time goes, from its exec until services are up.
 *
 * Phases by svinit's own clock; instructions of PID 1 as the processor counts them, which other
 * programs on the machine do not change, for one service and for a thousand; in what they were spent
 * (runtime, compiled JavaScript, kernel); system calls; and on Node which functions took the time.
 * What this kernel or machine does not let one see is named. Prints Markdown, and keeps it as
 * build/bench/profile.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { RUNTIMES, type Runtime } from '../compile.ts';
import { KIND, Life, msBetween } from './life.ts';
import type { Peer, Services } from './peer.ts';
import { bun, node } from './peers/svinit.ts';
import { short } from './results.ts';
import { stage } from './roots.ts';

const FEW = 1;
const MANY = Number(process.env['SERVICES'] ?? 1000);
const DIRECTORY = resolve('build/bench/profile');
/** Until a tool that was just started is attached. */
const ATTACHED_MS = 700;
const EVENTS = ['instructions:u', 'instructions:k', 'task-clock'];

const lines: string[] = [];

function tell(...more: readonly string[]): void {
  for (const line of more) console.log(line);
  lines.push(...more);
}

/** A life with `tool` attached to PID 1 from before its exec until all services are ready. */
async function attached(
  peer: Peer,
  count: number,
  init: readonly string[],
  tool: (pid: string) => readonly string[] | null,
  look: (life: Life) => Promise<void> = async () => {},
): Promise<string> {
  const services: Services = { count, program: 'tick-ready' };
  const life = await Life.held(stage(peer, 'profile', peer.files(services)), init);
  const command = tool(String(life.pid));
  const child = command === null ? null : start(command);
  try {
    if (child !== null) await sleep(ATTACHED_MS);
    life.go();
    await life.stamped(KIND.ready, count);
    await look(life);
    return child === null ? '' : await child.end();
  } finally {
    await life.end();
  }
}

function start([program = '', ...args]: readonly string[]): { end(): Promise<string> } {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  const hear = (data: Buffer): void => {
    told += data.toString();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const ended = once(child, 'close').catch(() => {});
  return {
    end: async () => {
      child.kill('SIGINT');
      await ended;
      return told;
    },
  };
}

/** From exec to the first line of TypeScript, through stage 1, until all are up. */
async function phases(peer: Peer): Promise<void> {
  tell('', '| services | exec → TypeScript | stages 0, 1 | → first service | → all ready |');
  tell('|---|---|---|---|---|');
  for (const count of [FEW, MANY]) {
    await attached(
      peer,
      count,
      peer.init({ count, program: 'tick' }),
      () => null,
      async (life) => {
        const log = '/run/log/svinit/svinit/current';
        const note = await waitFor(() => {
          const text = readFileSync(life.path(log), 'utf8');
          return /^.*"upAtMs".*$/m.exec(text)?.[0] ?? null;
        });
        const at = (key: string): number =>
          Number(new RegExp(`"${key}":([0-9.]+)`).exec(note)?.[1] ?? Number.NaN);
        const began = life.stamps.find(({ kind }) => kind === KIND.began)?.at ?? 0n;
        const starts = life.stamps.filter(({ kind }) => kind === KIND.started).map((s) => s.at);
        const ready = life.stamps.filter(({ kind }) => kind === KIND.ready).map((s) => s.at);
        const from = Number(began) / 1e6;
        const [first = Number.NaN] = since(began, starts);
        const last = since(began, ready).at(-1) ?? Number.NaN;
        const [zero, one] = [at('stage0AtMs') - from, at('stage1AtMs') - from];
        const cells = [zero, one - zero, first - one, last - first].map((ms) => `${short(ms)} ms`);
        tell(`| ${count} | ${cells.join(' | ')} |`);
      },
    );
  }
}

/** Milliseconds from `began`, in order. */
const since = (began: bigint, moments: readonly bigint[]): number[] =>
  moments.map((at) => msBetween(began, at)).sort((a, b) => a - b);

async function waitFor(look: () => string | null): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    try {
      const found = look();
      if (found !== null) return found;
    } catch {
      // The log is not there yet.
    }
    await sleep(50);
  }
  return '';
}

/** What the processor counted: noise of other programs is not in it. */
async function instructions(peer: Peer): Promise<void> {
  const counted: Record<string, number>[] = [];
  for (const count of [FEW, MANY]) {
    const init = peer.init({ count, program: 'tick' });
    const told = await attached(peer, count, init, (pid) => [
      ...['perf', 'stat', '-i', '-x', ',', '-e', EVENTS.join(','), '-p', pid],
    ]);
    const found = [...told.matchAll(/^([\d.]+),[^,]*,([\w:-]+),/gm)];
    counted.push(Object.fromEntries(found.map(([, value, name]) => [name, Number(value)])));
  }
  const [few = {}, many = {}] = counted;
  if (few['instructions:u'] === undefined) {
    tell('', 'Instructions cannot be counted here: no perf, or no counters for this machine.');
    return;
  }
  const column = (name: string, unit: number): string => {
    const [start = Number.NaN, all = Number.NaN] = [few[name], many[name]];
    return `${short(start / unit)} | ${short((all - start) / (MANY - FEW) / unit)}`;
  };
  tell('', '| PID 1 | until one service is up | for each more |', '|---|---|---|');
  tell(`| instructions, user, million | ${column('instructions:u', 1e6)} |`);
  tell(`| instructions, kernel, million | ${column('instructions:k', 1e6)} |`);
  tell(`| CPU time, ms | ${column('task-clock', 1)} |`);
}

/** Runtime, compiled JavaScript, kernel: which of them the time is spent in. */
async function places(peer: Peer, count: number): Promise<void> {
  const data = join(DIRECTORY, 'perf.data');
  await attached(peer, count, peer.init({ count, program: 'tick' }), (pid) => [
    ...['perf', 'record', '-q', '-i', '-e', 'cycles', '-o', data, '-p', pid],
  ]);
  for (const [by, rows] of [
    ['dso', 6],
    ['sym', 12],
  ] as const) {
    const args = ['report', '-i', data, '--no-children', '--sort', by, '--stdio'];
    const { stdout } = await execa('perf', args, { reject: false });
    const found = stdout.split('\n').filter((line) => /^\s+\d/.test(line));
    // Addresses of a stripped program say nothing.
    const named = found.filter((line) => !/0x0/.test(line)).slice(0, rows);
    if (named.length > 0) tell('', `${count} services, by ${by}:`, '```', ...named, '```');
    else
      tell('', `${count} services, by ${by}: nothing was sampled; no perf, or no counters here.`);
  }
}

async function calls(peer: Peer, count: number): Promise<void> {
  const told = await attached(peer, count, peer.init({ count, program: 'tick' }), (pid) => [
    ...['strace', '-qq', '-c', '-S', 'calls', '-p', pid],
  ]);
  const rows = told.split('\n').filter((line) => /^\s*\d/.test(line));
  if (rows.length === 0) tell('', 'System calls cannot be counted: no strace.');
  const each = rows.slice(0, 16).map((row) => {
    const words = row.trim().split(/\s+/);
    return `${words.at(-1)} ${short(Number(words[3]) / count)}`;
  });
  tell('', `System calls of PID 1 for each of ${count} services: ${each.join(', ')}`);
}

/** The profiler of V8 writes while it runs; PID 1 does not end in a way that would let it write. */
async function functions(count: number): Promise<void> {
  const bundle = join(DIRECTORY, 'svinit.mjs');
  const options = ['--target=node', '--format=esm', '--external=bun:ffi', '--external=node:ffi'];
  const places = ['--define', '__dirname="/usr/bin"', '--define', '__filename="/usr/bin/svinit"'];
  await execa('bun', ['build', ...options, ...places, '--outfile', bundle, 'src/svinit.ts']);
  const peer: Peer = {
    ...node,
    root: 'peers',
    files: (services) => ({
      ...node.files(services),
      'bench/svinit.mjs': readFileSync(bundle, 'utf8'),
    }),
  };
  const init = ['/usr/bin/node', '--disable-warning=ExperimentalWarning', '--prof'];
  const log = ['--logfile=/bench/v8.log', '--no-logfile-per-isolate', '/bench/svinit.mjs'];
  const kept = join(DIRECTORY, 'v8.log');
  const keep = async (life: Life): Promise<void> => copyFileSync(life.path('/bench/v8.log'), kept);
  await attached(peer, count, [...init, ...log], () => null, keep);
  const { stdout } = await execa(process.execPath, ['--prof-process', kept], { reject: false });
  const from = stdout.indexOf(' [Summary]');
  const [summary = ''] = stdout.slice(from).split('\n\n');
  const functions = stdout.split('\n').slice(0, 40);
  tell('', '```', ...functions, '', summary, '```');
}

async function attempt(what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    tell('', `${what}: not here: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
  }
}

mkdirSync(DIRECTORY, { recursive: true });
const asked = process.env['RUNTIMES']?.split(',') ?? RUNTIMES;
for (const runtime of asked as readonly Runtime[]) {
  const peer = runtime === 'bun' ? bun : node;
  tell('', `## ${peer.name}`);
  await attempt('Phases', () => phases(peer));
  await attempt('Instructions', () => instructions(peer));
  await attempt('Where', () => places(peer, FEW));
  await attempt('Where', () => places(peer, MANY));
  await attempt('System calls', () => calls(peer, MANY));
  if (runtime === 'node') await attempt('Functions', () => functions(MANY));
}
tell(
  '',
  '## What this does not show',
  '',
  '- Functions of JavaScript on Bun: its compiler leaves no names for perf; their time is `[JIT]`.',
  '- Threads of PID 1 other than its first: perf could count them only with all it starts.',
  '- Functions of the runtimes that are not exported: their programs are stripped.',
  '- On Node functions are those of the bundle run as a file, sampled each millisecond; the program',
  '  itself is one executable with a code cache, which compiles less.',
  '- Phases are wall time, and longer when the machine has something else to do; instructions are not.',
  '- What children do until their exec counts as theirs, but PID 1 waits meanwhile.',
);
writeFileSync('build/bench/profile.md', `${lines.join('\n')}\n`);
