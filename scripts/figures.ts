/**
 * `node scripts/figures.ts`: the figures the README quotes, measured in QEMU on the images that
 * `make image` made, one machine a runtime and round. It prints a Markdown table and asserts
 * nothing.
 *
 * Instants inside the machine are the kernel's monotonic clock, as svinit notes them in its log.
 */
import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { boot, type VirtualMachine } from '../test/boot/harness.ts';
import { RUNTIMES, type Runtime } from './compile.ts';
import { accelerator } from './qemu.ts';

/** ROUNDS=1 for a quick look. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const RESTARTS = 10;

type Row = { readonly name: string; readonly unit: string; readonly values: readonly number[] };

async function main(): Promise<void> {
  const tables = new Map<Runtime, Row[]>();
  for (const runtime of RUNTIMES) tables.set(runtime, await measure(runtime));
  const [model] = cpus();
  const host = `${cpus().length} × ${model?.model.trim() ?? 'unknown CPU'}`;
  console.log(
    `QEMU (${await accelerator()}), 1 CPU, 1 GiB; host: ${host}; ${ROUNDS} rounds: median (min-max)\n`,
  );
  console.log(`| figure | ${RUNTIMES.join(' | ')} |`);
  console.log(`|---|${RUNTIMES.map(() => '---').join('|')}|`);
  for (const [index, { name }] of (tables.get('bun') ?? []).entries()) {
    const cells = RUNTIMES.map((runtime) => cell(tables.get(runtime)?.[index]));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

async function measure(runtime: Runtime): Promise<Row[]> {
  const rounds: Record<string, number>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const machine = await boot({ runtime, append: 'quiet' });
    try {
      rounds.push(await one(machine));
    } finally {
      await machine.kill();
    }
  }
  const mib = (path: string): number => statSync(`build/${runtime}/${path}`).size / 1024 / 1024;
  const row = (name: string, unit: string, key: string): Row => ({
    name,
    unit,
    values: rounds.map((found) => found[key] ?? Number.NaN),
  });
  return [
    { name: 'image: initramfs.cpio.zst', unit: 'MiB', values: [mib('initramfs.cpio.zst')] },
    { name: 'image: the one binary', unit: 'MiB', values: [mib('svinit')] },
    row('kernel start → first line of TypeScript', 's', 'stage0'),
    row('first line → stages 0 and 1 done', 's', 'stage1'),
    row('stages done → all services up', 's', 'up'),
    row('PSS of svinit', 'MiB', 'pssInit'),
    row('PSS of svlog', 'MiB', 'pssLog'),
    row('kill -9 of a service → its next process runs', 'ms', 'restart'),
  ];
}

async function one(machine: VirtualMachine): Promise<Record<string, number>> {
  await machine.console.expect(/services up in/, 120_000);
  const text = (await machine.run('grep upAtMs /run/log/svinit/svinit/current')).output;
  const note = (key: string): number => Number(new RegExp(`"${key}":([0-9.]+)`).exec(text)?.[1]);
  const pss = async (pid: string): Promise<number> =>
    Number((await machine.run(`grep ^Pss: /proc/${pid}/smaps_rollup`)).output.replace(/\D/g, ''));
  return {
    stage0: note('stage0AtMs') / 1000,
    stage1: (note('stage1AtMs') - note('stage0AtMs')) / 1000,
    up: (note('upAtMs') - note('stage1AtMs')) / 1000,
    pssInit: (await pss('1')) / 1024,
    pssLog: (await pss('$(pidof svlog)')) / 1024,
    restart: await restartMs(machine),
  };
}

/**
 * The service stamps /proc/uptime when it runs, the killer before it kills: hundredths of a second,
 * so the mean of many is taken. It had run for a second, so it is started again at once.
 */
async function restartMs(machine: VirtualMachine): Promise<number> {
  await machine.run('mkdir -p /run/new/victim && cd /run/new/victim');
  await machine.run("printf '#!/bin/sh\\nread a b </proc/uptime\\necho $a >/run/up.new\\n' >run");
  await machine.run(
    "printf 'mv /run/up.new /run/up\\nexec sleep 9999\\n' >>run; chmod 755 run; cd /",
  );
  await machine.run(
    'mv /run/new/victim /run/svinit/services/ && svctl scan && svctl wait victim:up',
  );
  const loop = [
    `i=0; t=0; while [ $i -lt ${RESTARTS} ]; do sleep 2; rm -f /run/up`,
    'p=$(svctl ls --json victim | sed -n \'s/.*"pid": *\\([0-9]*\\).*/\\1/p\')',
    'read a b </proc/uptime; kill -9 $p; until [ -e /run/up ]; do usleep 1000; done',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell reads it, not we
    'read c </run/up; t=$((t + ${c%.*}${c#*.} - ${a%.*}${a#*.})); i=$((i+1)); done; echo "sum $t"',
  ].join('; ');
  const { output } = await machine.run(loop, 300_000);
  return (Number(/sum (-?\d+)/.exec(output)?.[1]) * 10) / RESTARTS;
}

function cell(row: Row | undefined): string {
  if (row === undefined) return '-';
  const sorted = [...row.values].sort((a, b) => a - b);
  const at = (index: number): string =>
    (sorted[index] ?? Number.NaN).toFixed(row.unit === 's' ? 2 : 1);
  const median = at(Math.floor(sorted.length / 2));
  if (sorted.length === 1) return `${median} ${row.unit}`;
  return `${median} ${row.unit} (${at(0)}-${at(sorted.length - 1)})`;
}

await main();
