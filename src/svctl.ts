/**
 * svctl: the command line of svinit, and the programs poweroff, reboot, halt, shutdown and telinit.
 * What it can do is the table in cli/verbs.ts.
 */
import { basename } from 'node:path';
import { run } from './cli/run.ts';
import { openWorld } from './cli/terminal.ts';
import type { Fd } from './core/units.ts';

/**
 * Runs one command line.
 * @param argv the arguments, without the program's own name.
 * @param program the name it was called by, perhaps with a path; `svctl` when absent.
 * @returns the exit code (docs/svctl.md lists them).
 */
export async function main(argv: readonly string[], program?: string): Promise<number> {
  const name = basename(program ?? 'svctl');
  const isViewing = argv.some((word) => word === 'attach' || word === 'shell');
  if (!isViewing) return run(argv, name);
  const code = await run(argv, name, { ...openWorld(), terminal: await ownTerminal() });
  // A terminal that was read may keep the runtime waiting for its next key.
  process.exit(code);
}

/** What only the kernel can do to the terminal at descriptor 0; loaded by who looks at another. */
async function ownTerminal(): Promise<{ readonly raw: () => () => void }> {
  const { openLibc } = await import('./sys/open.ts');
  const { openTerminals, rawMode } = await import('./sys/terminal.ts');
  const terminals = openTerminals(openLibc());
  const fd = 0 as Fd;
  return {
    raw: () => {
      const before = terminals.terminalMode(fd);
      terminals.setTerminalMode(fd, rawMode(before));
      return () => terminals.setTerminalMode(fd, before);
    },
  };
}
