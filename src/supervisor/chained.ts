/**
 * What is executed for a program of a service: those before it that make it run as it shall, found
 * where they are.
 */
import { accessSync, constants } from 'node:fs';
import { chainOf } from '../core/privileges.ts';
import type { Command, Spec } from '../core/spec.ts';

/** The program behind those that make it run as whom and with what it shall. */
export function chained(
  spec: Spec,
  { path, argv }: Command,
  extra: readonly string[],
  environment: Readonly<Record<string, string>>,
  isHanded: boolean = false,
): Command {
  const { privileges, confinement, envFiles, root } = spec;
  // Of those that ask for nothing of it, and they are many, there is no chain.
  const isPlain = !(isHanded || privileges || confinement || envFiles || root);
  const chain = isPlain ? [] : chainOf(spec, environment, isHanded);
  const [first] = chain;
  if (first === undefined) return { path, argv: [...argv, ...extra] };
  return { path: first, argv: [...chain, path, ...argv.slice(1), ...extra] };
}

/** A name without a slash is looked up in `path`, as execvp(3) does; the first that can run. */
export function findProgram(name: string, path: string): string {
  if (name.includes('/')) return name;
  for (const directory of path.split(':')) {
    const candidate = `${directory}/${name}`;
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: the next directory may have it.
    }
  }
  throw new Error(`Cannot start ${name}: not found in PATH (${path})`);
}
