/**
 * The verbs of svctl, one row each. Parsing, help and the reference page all read these rows; what
 * a verb does is loaded when it runs, because svctl is started often and does one thing.
 */
import { closest } from '../core/suggest.ts';
import { EXIT, Failure } from './failure.ts';
import type { OptionRow, Parsed } from './options.ts';
import type { Session } from './session.ts';
import { PATTERNS, type Verb, WATCH } from './verb.ts';
import { LOOK } from './verbs-look.ts';
import { TERMINAL } from './verbs-terminal.ts';

export type { Verb } from './verb.ts';

const ACT: readonly Verb[] = [
  {
    name: 'start',
    group: 'act',
    usage: 'start NAME...',
    about: 'Want services up, with all they need, and wait until they are ready',
    more: ['A service that is up already is a success.', PATTERNS],
    options: [{ name: 'once', about: 'Do not restart them when they end' }],
    run: async (parsed, session) => (await import('./act.ts')).start(parsed, session, 'start'),
  },
  {
    name: 'stop',
    group: 'act',
    usage: 'stop NAME...',
    about: 'Want services down, and wait until nothing of them runs',
    more: ['Refused, naming them, while other services need it: see --cascade.', PATTERNS],
    options: [
      { name: 'cascade', about: 'First stop what needs these services' },
      { name: 'force', about: 'Stop even an essential service' },
    ],
    run: async (parsed, session) => (await import('./act.ts')).stop(parsed, session),
  },
  {
    name: 'restart',
    group: 'act',
    usage: 'restart NAME...',
    about: 'Stop services and start them again, with their definition as it is on disk now',
    more: [PATTERNS],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).start(parsed, session, 'restart'),
  },
  {
    name: 'reload',
    group: 'act',
    usage: 'reload NAME...',
    about: 'Make services read their configuration again, and wait until they have',
    more: [
      'By the signal or command of their definition, otherwise HUP. One that tells by sd_notify ' +
        'that it reloads is waited for; a command that fails is a failure. Nothing is done when ' +
        'one of them cannot be reloaded now.',
      PATTERNS,
    ],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).start(parsed, session, 'reload'),
  },
  {
    name: 'signal',
    group: 'act',
    usage: 'signal SIGNAL NAME...',
    about: 'Send a signal, such as HUP or 10, to the main process of services that run',
    more: ['Refused, and nobody is signalled, when one of them does not run.', PATTERNS],
    options: [{ name: 'group', about: 'To their process groups' }],
    run: async (parsed, session) => (await import('./act.ts')).signal(parsed, session),
  },
  {
    name: 'wait',
    group: 'act',
    usage: 'wait NAME[:GOAL]...',
    about: 'Wait until all conditions are true: web:ready db:done x:down',
    more: [
      'GOAL is ready (the default), up (the same), down, done or failed. Exit code 5 when ' +
        '--timeout is over first.',
      PATTERNS,
    ],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).wait(parsed, session),
  },
  {
    name: 'scan',
    group: 'act',
    usage: 'scan',
    about: 'Read the service directories again and say what changed',
    more: [
      'New services start if they are wanted; changed ones keep running as they were until they ' +
        'are restarted. Exit code 8 when a definition was refused.',
    ],
    options: [{ name: 'prune', about: 'Stop what is no longer defined' }],
    run: async (parsed, session) => (await import('./act.ts')).scan(parsed, session),
  },
];

const WHEN: readonly OptionRow[] = [
  { name: 'in', value: 'DUR', about: 'Not now but in 5m, 90s, 2h; at most in 30 days' },
  { name: 'at', value: 'HH:MM', about: 'Not now but when the clock of svctl shows this' },
  { name: 'message', value: 'TEXT', about: 'Told to everybody at a terminal' },
];

const MACHINE: readonly Verb[] = [
  machineRow('poweroff', 'Stop all services, then switch the machine off'),
  machineRow('reboot', 'Stop all services, then start the machine anew'),
  machineRow('halt', 'Stop all services, then stop the processors'),
  {
    name: 'kexec',
    group: 'machine',
    usage: 'kexec',
    about: 'Stop all services, then start the kernel that is loaded, without the firmware',
    more: [
      'It is refused, and nothing is stopped, when no kernel is loaded: svkexec, kexec(8) -l or ' +
        'the options here load one, with the present command line unless --append is given.',
    ],
    options: [
      { name: 'kernel', value: 'FILE', about: 'First load this kernel' },
      { name: 'initrd', value: 'FILE', about: 'With this initramfs' },
      { name: 'append', value: 'TEXT', about: 'With this command line' },
    ],
    run: async (parsed, session) => (await import('./down.ts')).kexec(parsed, session),
  },
  {
    name: 'switch-root',
    group: 'machine',
    usage: 'switch-root [ROOT [ARGUMENT...]]',
    about: 'Stop all services, then make the init of another root PID 1',
    more: [
      'ROOT is a mount point, the one that svroot mounts when nothing is said. /dev, /proc, /sys ' +
        'and /run move along, all else that is mounted outside of it is unmounted. It is ' +
        'refused, and nothing is stopped, when there is no root there or no init on it.',
      'Without ARGUMENTs the init gets those that the kernel gave to svinit.',
    ],
    options: [
      { name: 'init', value: 'PATH', about: 'On ROOT; otherwise what init= says, or /sbin/init' },
    ],
    run: async (parsed, session) => (await import('./down.ts')).switchRoot(parsed, session),
  },
  {
    name: 'shutdown',
    group: 'machine',
    usage: 'shutdown [status|cancel|skip NAME...]',
    about: 'Show what the way down waits for, call off a scheduled one, or give a service up',
    more: [
      'status, the default, names the services that are waited for, with their processes and ' +
        'deadlines. skip kills services that are stopping and waits for them no longer. cancel ' +
        'calls off what is scheduled; a way down that has begun has no way back.',
      'The program shutdown is another one, with the options people know: shutdown --help.',
      PATTERNS,
    ],
    options: [WATCH],
    run: async (parsed, session) => (await import('./down.ts')).shutdownVerb(parsed, session),
  },
  {
    name: 'reexec',
    group: 'machine',
    usage: 'reexec',
    about: 'Replace svinit by a fresh image of itself; services keep running',
    more: [
      'A binary that is not the one that runs, given or found where that one came from, first ' +
        'has to pass a self-test as a child, with a copy of the state. If it fails, svinit goes ' +
        'on as it is, and says why.',
    ],
    options: [{ name: 'binary', value: 'PATH', about: 'Become this svinit: an upgrade in place' }],
    run: async (parsed, session) => (await import('./act.ts')).reexec(parsed, session),
  },
];

const MORE: readonly Verb[] = [
  {
    name: 'call',
    group: 'more',
    usage: 'call METHOD [PARAMS]',
    about: 'Send one request as it is, its parameters in JSON, and print the result in JSON',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./act.ts')).call(parsed, session),
  },
  {
    name: 'help',
    group: 'more',
    usage: 'help [VERB]',
    about: 'Show this help, or that of a verb',
    more: [],
    options: [{ name: 'markdown', about: 'Print the reference page instead' }],
    run: showHelp,
  },
];

/** Every verb, in the order in which help shows them. */
export const VERBS: readonly Verb[] = [...LOOK, ...ACT, ...TERMINAL, ...MACHINE, ...MORE];

/**
 * The row of `word`; of `ls` when there is none.
 * @throws {Failure} exit 2 with a suggestion when there is no such verb.
 */
export function verbOf(word: string | null): Verb {
  const name = word ?? 'ls';
  const found = VERBS.find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const near = nearVerb(name);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  throw new Failure(EXIT.usage, `There is no verb '${name}'${hint}`, 'svctl help lists them all');
}

/** A word that only one verb begins with was cut short; any other was mistyped. */
function nearVerb(word: string): string | null {
  const names = VERBS.map(({ name }) => name);
  const [begun, ...more] = names.filter((name) => word !== '' && name.startsWith(word));
  return begun !== undefined && more.length === 0 ? begun : closest(word, names);
}

async function showHelp(parsed: Parsed, session: Session): Promise<number> {
  const { helpOf, markdown } = await import('./help.ts');
  const [word] = parsed.names;
  const verb = word === undefined ? null : verbOf(word);
  session.print(parsed.has('markdown') ? markdown(VERBS) : helpOf(verb, VERBS));
  return EXIT.done;
}

function machineRow(name: 'poweroff' | 'reboot' | 'halt', about: string): Verb {
  return {
    name,
    group: 'machine',
    usage: name,
    about,
    more: [
      'With a time it is scheduled, in place of what was scheduled before: everybody at a ' +
        'terminal is told, again and again as it comes nearer, and svctl status shows it.',
      `The program ${name} does the same and takes the options people know.`,
    ],
    options: [
      { name: 'force', about: 'Stop nothing in order: TERM to everything, KILL 3 s later' },
      ...WHEN,
    ],
    run: async (parsed, session) => (await import('./down.ts')).machineVerb(parsed, session, name),
  };
}
