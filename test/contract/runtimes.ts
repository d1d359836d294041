/**
 * The two runtimes every contract holds on, as commands: those installed with the project, whatever
 * PATH says.
 */
import { fileURLToPath } from 'node:url';

export type Runtime = {
  readonly name: 'bun' | 'node';
  readonly path: string;
  /** Come before the program's own file. */
  readonly args: readonly string[];
};

export const RUNTIMES: readonly Runtime[] = [
  { name: 'node', path: installed(nodePackage()), args: ['--disable-warning=ExperimentalWarning'] },
  { name: 'bun', path: installed(bunPackage()), args: [] },
];

function nodePackage(): string {
  return `node-linux-${process.arch}/bin/node`;
}

function bunPackage(): string {
  return `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : process.arch}/bin/bun`;
}

function installed(path: string): string {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
}
