/**
 * The rows of the verbs that only look.
 */
import { PATTERNS, type Verb, WATCH } from './verb.ts';

export const LOOK: readonly Verb[] = [
  {
    name: 'ls',
    group: 'look',
    usage: 'ls [NAME...]',
    about: 'List services; the default verb',
    more: [
      'Failed, repeatedly failing and waiting services come first. A state that is not the ' +
        'wanted one is shown with it: up→down is up and about to be stopped. Columns that do not ' +
        'fit the terminal are left out from the right. Definitions that svinit refused follow ' +
        'the table.',
      PATTERNS,
    ],
    options: [{ name: 'failed', about: 'Only what failed or waits to be tried again' }, WATCH],
    run: async (parsed, session) => (await import('./look.ts')).ls(parsed, session),
  },
  {
    name: 'status',
    group: 'look',
    usage: 'status [NAME...]',
    about: 'Show services in full, with their last log lines; no name: svinit itself and all',
    more: [
      'Exit code 0 when every named service is up or done, 3 when one of them is not. A service ' +
        'that is still starting is not up.',
      PATTERNS,
    ],
    options: [WATCH],
    run: async (parsed, session) => (await import('./look.ts')).status(parsed, session),
  },
  {
    name: 'why',
    group: 'look',
    usage: 'why NAME...',
    about: 'Say why a service is as it is: the chain of causes, and the command that helps',
    more: [],
    options: [WATCH],
    run: async (parsed, session) => (await import('./look.ts')).why(parsed, session),
  },
  {
    name: 'boot',
    group: 'look',
    usage: 'boot',
    about: 'Show how long the boot took, or what was understood of the kernel command line',
    more: [
      'With --options each word of the command line that svinit knows is shown with what it ' +
        'means. Words for others are shown without their values, with who does something with ' +
        'them: another program, the kernel, or nobody yet. Secrets are left out.',
    ],
    options: [{ name: 'options', about: 'The kernel command line, word by word' }],
    run: async (parsed, session) => (await import('./boot.ts')).boot(parsed, session),
  },
  {
    name: 'report',
    group: 'look',
    usage: 'report',
    about: 'Show what is needed to find out why a boot failed, without secrets',
    more: [
      'The kernel command line, services and the ends of their logs, mounts, block devices and ' +
        'the last messages of the kernel. What is named pass, secret, token, key or credential, ' +
        'and passwords of addresses, are left out. No svinit is needed.',
    ],
    options: [{ name: 'output', short: 'o', value: 'FILE', about: 'Into a file, for its owner' }],
    run: async (parsed, session) => (await import('./report.ts')).report(parsed, session),
  },
  {
    name: 'top',
    group: 'look',
    usage: 'top',
    about: 'Live view: all services, what they use, the log of one; restart, stop, start by key',
    more: [
      'CPU% is of one processor, MEM and TASKS are those of the cgroup of a service, or without ' +
        'cgroups of its main process. PSI is the worst pressure of the last ten seconds: percent ' +
        'of the time in which something of it waited for the processor (c), memory (m) or i/o (i).',
      'Under the table is the log of the chosen service, or why it is as it is. The keys are in ' +
        'the last line, ? tells more. On a serial line, which cannot tell its size, LINES and ' +
        'COLUMNS do; else it is 24 by 80.',
    ],
    options: [],
    run: async (parsed, session) => (await import('./top.ts')).top(parsed, session),
  },
  {
    name: 'doctor',
    group: 'look',
    usage: 'doctor',
    about: 'Tell what svinit has found and chosen by itself, what is lost by it, and what to do',
    more: [
      'Each line is ok, less (svinit does without it, and nothing that it promises is lost) or ' +
        'LOST. Exit code 1 when something is lost.',
    ],
    options: [],
    run: async (parsed, session) => (await import('./doctor.ts')).doctor(parsed, session),
  },
  {
    name: 'logs',
    group: 'look',
    usage: 'logs [NAME...]',
    about: 'Show what services printed; no name: all of them in the order of time',
    more: [
      'Without -n everything that is kept is shown; with -f the last ten lines come first. Logs ' +
        'are read from their files (SVINIT_LOG, else /run/log/svinit): no svinit is needed.',
    ],
    options: [
      { name: 'follow', short: 'f', about: 'Go on with new lines as they come' },
      { name: 'lines', short: 'n', value: 'N', about: 'The last N lines' },
      { name: 'raw', about: 'The bytes as the service wrote them' },
    ],
    run: async (parsed, session) => (await import('./look.ts')).showLogs(parsed, session),
  },
  {
    name: 'deps',
    group: 'look',
    usage: 'deps NAME...',
    about: 'Show what a service needs, as a tree',
    more: [],
    options: [WATCH],
    run: async (parsed, session) => (await import('./order.ts')).deps(parsed, session, 'needs'),
  },
  {
    name: 'rdeps',
    group: 'look',
    usage: 'rdeps NAME...',
    about: 'Show what needs a service, as a tree',
    more: [],
    options: [WATCH],
    run: async (parsed, session) => (await import('./order.ts')).deps(parsed, session, 'neededBy'),
  },
  {
    name: 'waves',
    group: 'look',
    usage: 'waves [NAME...|-]',
    about: 'Show which services can start together, one wave a line',
    more: [
      'With - pairs of names are read from standard input as tsort(1) reads them, "a b" meaning ' +
        'a before b: 1 2 and 3 4 give the waves "1 3" and "2 4". A cycle is an error (exit ' +
        'code 8).',
    ],
    options: [],
    run: async (parsed, session) => (await import('./order.ts')).waves(parsed, session),
  },
  {
    name: 'version',
    group: 'look',
    usage: 'version',
    about: 'Show the version of the svinit that runs, its runtime and its target',
    more: [],
    options: [],
    run: async (parsed, session) => (await import('./look.ts')).version(parsed, session),
  },
];
