/**
 * The rows of the verbs that look at terminals.
 */
import type { OptionRow } from './options.ts';
import type { Verb } from './verb.ts';

const VIEWING: readonly OptionRow[] = [
  { name: 'read-only', about: 'Look, and type nothing' },
  {
    name: 'detach-key',
    value: 'KEY',
    about: 'The key that leaves: ctrl-] (the default), ^a, ctrl-p,ctrl-q, none',
  },
];

export const TERMINAL: readonly Verb[] = [
  {
    name: 'attach',
    group: 'act',
    usage: 'attach NAME',
    about: 'Look at the terminal of a service, and type there; ctrl-] leaves',
    more: [
      'The service has one when its definition says "tty": "pty". The last 64 KiB that it ' +
        'printed are shown first. Several may look at once: the window of whoever typed last ' +
        'counts. All keys but the one that leaves go to the program, ctrl-C too.',
      'Where the input is no terminal it is copied, and svctl leaves at its end.',
    ],
    options: VIEWING,
    run: async (parsed, session) => (await import('./attach.ts')).attach(parsed, session),
  },
  {
    name: 'shell',
    group: 'act',
    usage: 'shell [COMMAND...]',
    about: 'A shell, or COMMAND, on a terminal that outlives svctl and a re-exec; ctrl-] leaves',
    more: [
      'It belongs to the service shells, which is started when it is not up. A session has a ' +
        'name, by which it is found again: --name opens it, or comes back to it. Options of ' +
        'COMMAND stand behind --. The exit code is that of the program, 128 and the signal that ' +
        'ended it.',
      'Where the input is no terminal it is copied, and ctrl-D is typed at its end.',
    ],
    options: [
      { name: 'name', value: 'NAME', about: 'Of the session; otherwise a new one, with a number' },
      { name: 'list', about: 'The sessions that are there' },
      ...VIEWING,
    ],
    run: async (parsed, session) => (await import('./attach.ts')).shell(parsed, session),
  },
];
