/**
 * Kernel modules for machines that tests boot, from the package that `make kernel` unpacks. The
 * image itself has none: what a module can do is not needed to boot it.
 */
import { globSync, readFileSync } from 'node:fs';
import { KERNEL } from '../../scripts/qemu.ts';
import type { ExtraFile } from './harness.ts';

const PACKAGE = 'build/kernel/root';

/** Where they are in the machine: insmod(8) takes `/modules/NAME.ko`. */
export const MODULES = '/modules';

/** Why there are none; null: there are. */
export const noModules: string | null = reasonAgainst();

/** These modules, each by its name; what one needs of another is for the caller to know. */
export function moduleFiles(...names: readonly string[]): readonly ExtraFile[] {
  const files = names.map((name): ExtraFile => {
    const [path] = globSync(`${PACKAGE}/lib/modules/*/kernel/**/${name}.ko`);
    if (path === undefined) throw new Error(`The package of the kernel has no module ${name}`);
    return { path: `${MODULES}/${name}.ko`, content: readFileSync(path) };
  });
  return [{ path: MODULES, directory: true }, ...files];
}

/** Modules fit one kernel only, and `make kernel KERNEL=` brings another without any. */
function reasonAgainst(): string | null {
  const [image] = globSync(`${PACKAGE}/boot/vmlinuz-*`);
  if (image === undefined) return `no modules are in ${PACKAGE}`;
  const isSame = readFileSync(image).equals(readFileSync(KERNEL));
  return isSame ? null : `${KERNEL} is not the kernel whose modules are in ${PACKAGE}`;
}
