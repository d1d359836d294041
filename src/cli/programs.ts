/**
 * The programs poweroff, reboot, halt, shutdown and telinit: the options people know from sysvinit
 * and systemd (halt(8), shutdown(8), telinit(8)) and busybox to what svinit is asked for. What asks
 * for less care than svinit takes, or for what nobody needs here, is taken and changes nothing;
 * what asks for something else than a way down that svinit knows is refused.
 */
import type { Descent, Method } from './down.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { COMMON, type OptionRow, type Parsed, parseOptions } from './options.ts';
import type { Session } from './session.ts';
import { delayOf } from './when.ts';

type Level = ({ readonly act: 'down' } & Descent) | { readonly act: 'scan' | 'reexec' };
type Warning = { readonly act: 'warn' } & Omit<Descent, 'inMs' | 'force'> & {
    readonly inMs: number;
  };
type Act = Level | Warning | { readonly act: 'cancel' | 'show' | 'nothing' };

export type Asked =
  | (Act & { readonly parsed: Parsed; readonly usage: string })
  | { readonly act: 'help'; readonly help: readonly string[] };

/** Common options that these programs do not take, or have their own row for. */
const NOT_HERE: ReadonlySet<string> = new Set(['help', 'version', 'no-wait']);

const HELP: OptionRow = { name: 'help', about: 'Show this help' };
const NO_WALL: OptionRow = {
  name: 'no-wall',
  about: 'Tell nobody; only of what is scheduled people are told',
};

const USAGES: ReadonlyMap<string, string> = new Map([
  ['shutdown', 'shutdown [-P|-r|-H|-h] [now|+MINUTES|HH:MM] [MESSAGE...]'],
  ['telinit', 'telinit 0|6|q|u'],
]);

const PACE = 'each service says itself how long it may take to stop';
const SYNCED = 'what was written is always saved';
const FORCE: OptionRow = {
  name: 'force',
  short: 'f',
  about: 'Stop nothing in order: TERM to everything, KILL 3 s later; file systems are unmounted',
};

const TELINIT_ROWS: readonly OptionRow[] = [
  { ...ignored('delay', 't', PACE), value: 'SEC' },
  refused('env', 'e', 'svinit has no environment that can be changed'),
  NO_WALL,
];

const HALT_ROWS: readonly OptionRow[] = [
  { name: 'poweroff', short: 'p', about: 'Switch the machine off' },
  { name: 'reboot', about: 'Start the machine anew' },
  { name: 'halt', about: 'Stop the processors' },
  FORCE,
  { name: 'wtmp-only', short: 'w', about: 'Do nothing: svinit keeps no record (wtmp)' },
  ignored('no-wtmp', 'd', 'svinit keeps no record (wtmp)'),
  NO_WALL,
  ignored('no-sync', 'n', SYNCED),
  ignored('interfaces', 'i', 'network interfaces end with the machine'),
  ignored('standby', 'h', 'the kernel puts disks to standby'),
  { ...ignored('check-inhibitors', undefined, 'svinit has no inhibitors'), value: 'MODE' },
];

const SHUTDOWN_ROWS: readonly OptionRow[] = [
  { name: 'poweroff', short: 'P', about: 'Switch the machine off (the default)' },
  { name: 'reboot', short: 'r', about: 'Start the machine anew' },
  { name: 'halt', short: 'H', about: 'Stop the processors' },
  { name: 'off', short: 'h', about: 'The same as -P, unless -H is given' },
  NO_WALL,
  { name: 'message-only', short: 'k', about: 'Tell people only, and do nothing' },
  { name: 'cancel', short: 'c', about: 'Call off what is scheduled' },
  { name: 'show', about: 'Show what is scheduled, or what the way down waits for' },
  { ...FORCE, name: 'no-init', short: 'n' },
  { ...ignored('delay', 't', PACE), value: 'SEC' },
  ignored('access', 'a', 'only root may, so nobody else is asked for'),
  ignored('skip-fsck', 'f', 'fsck.mode=skip of the kernel command line does that'),
  ignored('force-fsck', 'F', 'fsck.mode=force of the kernel command line does that'),
];

/**
 * What `program` with `argv` asks for.
 * @throws {Failure} exit 2 for whatever is unknown, unsupported or contradicts itself.
 */
export function parseProgram(program: string, argv: readonly string[]): Asked {
  const isShutdown = program === 'shutdown';
  const usage = USAGES.get(program) ?? `${program} [-p] [--help]`;
  const rows = isShutdown ? SHUTDOWN_ROWS : program === 'telinit' ? TELINIT_ROWS : HALT_ROWS;
  const own = [...rows, HELP];
  // The common options without their letters, some of which mean something else here.
  const common = COMMON.filter(({ name }) => !NOT_HERE.has(name)).map(longOnly);
  const parsed = parseOptions(argv, [...own, ...common], usage);
  if (parsed.has('help')) return { act: 'help', help: helpLines(usage, own, common) };
  const found = { parsed, usage };
  if (program === 'telinit') return { ...found, ...levelOf(parsed.names, usage) };
  const method = methodOf(program, parsed, usage);
  if (!isShutdown) {
    checkNoWords(parsed.names, usage);
    if (parsed.has('wtmp-only')) return { ...found, act: 'nothing' };
    const force = parsed.has('force');
    return { ...found, act: 'down', method, inMs: null, message: '', force };
  }
  if (parsed.has('cancel')) return { ...found, act: 'cancel' };
  if (parsed.has('show')) return { ...found, act: 'show' };
  // systemd's shutdown waits for a minute when nobody says when, and so do people's hands.
  const [time = '+1', ...words] = parsed.names;
  const inMs = delayOf(time, usage);
  const message = words.join(' ');
  if (parsed.has('message-only')) return { ...found, act: 'warn', method, inMs, message };
  const force = parsed.has('no-init');
  return { ...found, act: 'down', method, inMs: inMs === 0 ? null : inMs, message, force };
}

/** Asks svinit for it. */
export async function runAsked(
  asked: Exclude<Asked, { act: 'help' }>,
  session: Session,
): Promise<number> {
  const down = await import('./down.ts');
  switch (asked.act) {
    case 'down':
      return down.goDown(asked, session);
    case 'warn':
      return down.warn(asked, session);
    case 'nothing':
      return EXIT.done;
    case 'cancel':
      return down.cancel(session);
    case 'show':
      return down.shutdownVerb({ ...asked.parsed, names: [] }, session);
    case 'scan':
      return (await import('./act.ts')).scan({ ...asked.parsed, names: [] }, session);
    case 'reexec':
      return (await import('./act.ts')).reexec({ ...asked.parsed, names: [] }, session);
  }
}

function methodOf(program: string, parsed: Parsed, usage: string): Method {
  const methods: readonly Method[] = ['poweroff', 'reboot', 'halt'];
  const [asked, other] = methods.filter((method) => parsed.has(method));
  if (asked !== undefined && other !== undefined) {
    throw usageFailure(`Both ${asked} and ${other} are asked for`, usage);
  }
  if (asked === 'reboot' && parsed.has('off')) {
    throw usageFailure('Both -h and -r are asked for', usage);
  }
  return asked ?? methods.find((method) => method === program) ?? 'poweroff';
}

/** Levels of telinit(8); 0 switches the machine off, as `shutdown -h` does. */
function levelOf(words: readonly string[], usage: string): Level {
  const [level = '', ...more] = words;
  checkNoWords(more, usage);
  switch (level.toLowerCase()) {
    case '0':
      return { act: 'down', method: 'poweroff', inMs: null, message: '', force: false };
    case '6':
      return { act: 'down', method: 'reboot', inMs: null, message: '', force: false };
    case 'q':
      return { act: 'scan' };
    case 'u':
      return { act: 'reexec' };
    default: {
      const hint = 'svctl start and svctl stop take bundles of services';
      if (/^[1-5s]$/i.test(level)) {
        throw new Failure(EXIT.usage, `'${level}': svinit has no runlevels`, hint);
      }
      throw usageFailure(`'${level}' is not 0, 6, q or u`, usage);
    }
  }
}

function checkNoWords(words: readonly string[], usage: string): void {
  if (words.length === 0) return;
  const text = `'${words.join(' ')}': no arguments are taken`;
  throw new Failure(EXIT.usage, text, `usage: ${usage}`);
}

function refused(name: string, short: string | undefined, why: string): OptionRow {
  const row = { name, about: '', refused: why };
  return short === undefined ? row : { ...row, short };
}

function ignored(name: string, short: string | undefined, why: string): OptionRow {
  const row = { name, about: '', ignored: why };
  return short === undefined ? row : { ...row, short };
}

function longOnly(row: OptionRow): OptionRow {
  const { short: _, ...rest } = row;
  return rest;
}

function helpLines(
  usage: string,
  own: readonly OptionRow[],
  common: readonly OptionRow[],
): readonly string[] {
  const rows = [...own, ...common].filter(
    (row) => row.refused === undefined && row.ignored === undefined,
  );
  const shown = rows.map((row) => {
    const short = row.short === undefined ? '    ' : `-${row.short}, `;
    const value = row.value === undefined ? '' : ` ${row.value}`;
    return `  ${`${short}--${row.name}${value}`.padEnd(20)}  ${row.about}`;
  });
  const because = ({ name, short }: OptionRow, why: string | undefined): readonly string[] =>
    why === undefined ? [] : [`  ${short === undefined ? `--${name}` : `-${short}`}: ${why}`];
  const taken = own.flatMap((row) => because(row, row.ignored));
  const not = own.flatMap((row) => because(row, row.refused));
  return [
    ...[`usage: ${usage}`, '', ...shown],
    ...(taken.length === 0 ? [] : ['', 'Taken, and without effect:', ...taken]),
    ...(not.length === 0 ? [] : ['', 'Refused:', ...not]),
  ];
}
