/**
 * `node scripts/image.ts [--runtime=bun|node] [--out=DIRECTORY]`: builds the image.
 *
 * Into build/RUNTIME, or DIRECTORY:
 *   svinit                the program with its runtime
 *   root/                 the root as a directory without device nodes, for namespaces
 *   root.tar              the same for container engines
 *   initramfs.cpio.zst    what the kernel boots, with nodes
 * The same sources, packages and SOURCE_DATE_EPOCH (default: the time of the last commit, or 0)
 * give the same bytes. Each output appears whole or not at all, the initramfs last.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { constants, zstdCompressSync } from 'node:zlib';
import { execa } from 'execa';
import { compile, RUNTIMES, type Runtime } from './compile.ts';
import { cpio } from './cpio.ts';
import { rootEntries } from './rootfs.ts';
import { stage } from './stage.ts';
import { tar } from './tar.ts';
import { ToolError } from './tool.ts';

const BUSYBOX = { busybox: 'build/busybox/busybox', ash: 'build/busybox/ash' };

/**
 * Sizes barely fall above this level, and the time triples; the kernel refuses windows beyond level
 * 19's.
 */
const ZSTD_LEVEL = 9;

/** In the order they appear in; the last one is what `make` looks at. */
const OUTPUTS = ['svinit', 'root', 'root.tar', 'initramfs.cpio.zst'] as const;

const { values } = parseArgs({
  options: { runtime: { type: 'string', default: 'bun' }, out: { type: 'string' } },
});

async function main(): Promise<void> {
  const runtime = RUNTIMES.find((name) => name === values.runtime);
  if (runtime === undefined) throw new ToolError(`RUNTIME is one of ${RUNTIMES.join(', ')}`);
  const directory = values.out ?? `build/${runtime}`;
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(directory, '.new-'));
  try {
    await build(runtime, work);
    rmSync(join(directory, 'root'), { recursive: true, force: true });
    for (const name of OUTPUTS) renameSync(join(work, name), join(directory, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const name of OUTPUTS.filter((output) => output !== 'root')) {
    const mebibytes = statSync(join(directory, name)).size / 2 ** 20;
    console.log(`${join(directory, name)}  ${mebibytes.toFixed(1)} MiB`);
  }
}

/** Makes all outputs in the empty directory `work`. */
async function build(runtime: Runtime, work: string): Promise<void> {
  const time = await sourceDateEpoch();
  const binary = await compile(runtime, work);
  const entries = await rootEntries({ binary, ...BUSYBOX });
  stage(entries, join(work, 'root'));
  writeFileSync(join(work, 'root.tar'), tar(entries, time));
  writeFileSync(join(work, 'initramfs.cpio.zst'), compressed(cpio(entries, time)));
}

function compressed(archive: Uint8Array): Uint8Array {
  return zstdCompressSync(archive, {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
}

/**
 * Seconds since the epoch that every file of the image is stamped with (reproducible-builds.org).
 */
async function sourceDateEpoch(): Promise<number> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && given !== '') return Number(given);
  const { stdout } = await execa('git', ['log', '-1', '--format=%ct'], { reject: false });
  return Number(stdout) || 0;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ToolError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
