/**
 * svrescue is what a boot runs that has failed: it writes a report, and then asks at the console
 * what is to become of the machine, or does what the kernel command line says without asking.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { askSvinit } from './boot/control.ts';
import { holdConsole, terminalFor } from './boot/pause.ts';
import { choiceOn } from './boot/question.ts';
import { shellOn } from './boot/shell.ts';
import { bootOptions } from './boot/told.ts';
import { gatherReport, saveReport } from './cli/report.ts';
import type { BootOptions } from './core/boot-options.ts';
import {
  type Choice,
  type Circumstances,
  type Ending,
  rescueChoices,
} from './core/rescue-choices.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svrescue [--first] [--last] WHERE WHY

Says on the console WHERE the boot has failed, and WHY, writes a report to
/run/svinit/report.txt, and asks whether to try again, to go on without, for a shell, to restart or
to power off. When nobody answers for ten seconds the boot goes on without. On the kernel command
line svinit.ask=SECONDS says how long to wait, rd.shell=0 gives no shell, and rd.emergency=reboot,
poweroff or halt does not ask.
  --first  nothing is supervised yet: the kernel is asked to restart or to power off, not svinit
  --last   there is nothing that could be tried again

Exit code: 0 try again, 3 go on without, 1 the machine goes down, 2 wrong usage`;

type Failed = Circumstances & { readonly where: string; readonly why: string };

/** @param argv Arguments after the program's name. */
export async function main(argv: readonly string[]): Promise<number> {
  const failed = parse(argv);
  if (failed === null) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  if (failed === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const options = bootOptions();
  const { first, last, where, why } = failed;
  const headline = `the boot has failed: ${where}: ${why}`;
  const file = await writeReport(headline);
  say(`${headline}; ${file === null ? 'there is no report' : `the report is ${file}`}`);
  if (options.emergency !== 'shell') return end(options.emergency, first);
  if (!first && options.askTimeout === 0) return EXIT.without;
  const verdict = await (first ? ask() : holdConsole(ask));
  if (verdict === 'retry') return EXIT.retry;
  if (verdict === 'without') return EXIT.without;
  return end(verdict, first);

  function ask(): Promise<Exclude<Choice, 'shell'>> {
    const told = [headline, `what there is to see: ${file ?? 'svctl report'}`];
    return converse(options, told, { first, last });
  }
}

const EXIT = { retry: 0, down: 1, without: 3 } as const;

function parse(argv: readonly string[]): Failed | 'help' | null {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { first: flag, last: flag, help: flag },
      allowPositionals: true,
    });
    const [where, why] = positionals;
    if (values.help) return 'help';
    if (where === undefined || why === undefined || positionals.length > 2) return null;
    return { first: values.first, last: values.last, where, why };
  } catch {
    return null;
  }
}

/** Where the report can be; the first that is there. */
const PLACES: readonly string[] = ['/run/svinit', '/run', '/tmp'];
/** Where dracut(8) has it, and people look. */
const USUAL = '/run/initramfs/rdsosreport.txt';

/** The file it is in; null when there was no place for it. */
async function writeReport(headline: string): Promise<string | null> {
  const text = await gatherReport([headline]);
  for (const place of PLACES) {
    const file = `${place}/report.txt`;
    try {
      saveReport(file, text);
      link(file);
      return file;
    } catch {
      // The next place; there may be no /run yet.
    }
  }
  return null;
}

function link(file: string): void {
  try {
    mkdirSync('/run/initramfs', { recursive: true });
    symlinkSync(file, USUAL);
  } catch {
    // It is there from the failure before, or cannot be.
  }
}

/** Asks until there is an answer that is no shell. */
async function converse(
  options: BootOptions,
  told: readonly string[],
  circumstances: Circumstances,
): Promise<Exclude<Choice, 'shell'>> {
  const kernel = openSystem();
  const tty = terminalFor(options) ?? '/dev/console';
  const choices = rescueChoices(options, circumstances);
  // There is nothing to go on with when nothing is supervised.
  const ms = 1000 * options.askTimeout;
  let limit = circumstances.first ? null : { ms, about: 'go on without' };
  for (;;) {
    const letter = await choiceOn(kernel, tty, {
      told: told.map((line) => `svinit: ${line}`),
      choices: choices.map(([letter, , about]) => [letter, about]),
      limit,
    });
    const verdict = choices.find(([known]) => known === letter)?.[1] ?? 'without';
    limit = null;
    if (verdict !== 'shell') return verdict;
    const greeting = ['svinit: exit asks again what is to be done'];
    await shellOn(kernel, { tty, prompt: 'rescue', greeting });
  }
}

/** Services are stopped first, where there are any. */
async function end(kind: Ending, first: boolean): Promise<number> {
  say(kind);
  if (!first) {
    await askSvinit(kind, {});
    return EXIT.down;
  }
  const kernel = openSystem();
  kernel.sync();
  kernel.reboot(kind === 'reboot' ? 'restart' : kind);
  return EXIT.down;
}

function say(line: string): void {
  process.stdout.write(`svrescue: ${line}\n`);
}
