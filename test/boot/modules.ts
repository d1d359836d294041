/**
 * Kernel modules for machines that tests boot, from the package that `make kernel` unpacks. The
 * image itself has none; scripts/modules.ts makes the archive that goes behind it.
 */
import { globSync, readFileSync } from 'node:fs';
import { PACKAGE, noModules as reasonAgainst } from '../../scripts/modules.ts';
import type { ExtraFile } from './harness.ts';

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
