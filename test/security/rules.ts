/**
 * The security rules, numbered C1 to C22: each comes from a class of bugs that has hit an init, a
 * supervisor or a runtime before, and each names the tests that prove it, or why it is not about
 * svinit. That the tests are there is checked by rules.test.ts.
 */

/** One rule; `tests` are files in test/ with the number in a title. */
export type Rule = { readonly number: number; readonly rule: string } & (
  | { readonly tests: readonly string[] }
  | { readonly why: string }
);

export const RULES: readonly Rule[] = [
  {
    number: 1,
    rule: 'No message of a client, empty, partial, oversized or odd, ends or mutes PID 1.',
    tests: ['core/protocol.test.ts', 'supervisor/frames.test.ts'],
  },
  {
    number: 2,
    rule: 'Whatever others give has a limit: frames, lines, names, depth, files, services, clients.',
    tests: [
      'log/compose.test.ts',
      'security/source.test.ts',
      'supervisor/limits.test.ts',
      'supervisor/scan-refuse.test.ts',
    ],
  },
  {
    number: 3,
    rule: 'State from another image is input: sealed on hand-over, summed, checked by a schema.',
    tests: [
      'contract/sys-descriptors.tap.ts',
      'core/checkpoint.test.ts',
      'core/ledger.test.ts',
      'security/program.test.ts',
    ],
  },
  {
    number: 4,
    rule:
      'A definition is read through descriptors, follows no link out of its tree, and nobody but ' +
      'its owner, root or who runs svinit, may change it or a directory above it.',
    tests: ['boot-unit/stage1.test.ts', 'supervisor/scan-refuse.test.ts'],
  },
  {
    number: 5,
    rule: 'Who asks is the uid that the kernel tells at accept; the mode of the socket comes on top.',
    tests: ['supervisor/askers.test.ts'],
  },
  {
    number: 6,
    rule: 'svinit listens on three sockets in its own directory: no network, no abstract names.',
    tests: ['security/source.test.ts', 'security/surface.test.ts'],
  },
  {
    number: 7,
    rule:
      'No text reaches a prototype, a shell, an evaluator, or a regular expression that can ' +
      'backtrack without end.',
    tests: [
      'core/checkpoint.test.ts',
      'core/protocol.test.ts',
      'core/spec-json.test.ts',
      'security/source.test.ts',
      'supervisor/frames.test.ts',
    ],
  },
  {
    number: 8,
    rule: 'No name is an option of a program, and -- ends options of svctl.',
    tests: [
      'boot/environment.test.ts',
      'cli/options.test.ts',
      'core/names.test.ts',
      'security/children.test.ts',
      'supervisor/scan-refuse.test.ts',
    ],
  },
  {
    number: 9,
    rule: 'A user, group, limit or capability that is not honoured refuses the service.',
    tests: ['core/spec-json.test.ts', 'security/children.test.ts'],
  },
  {
    number: 10,
    rule: 'A child has descriptors 0, 1 and 2, and the one it was promised; no other.',
    tests: ['contract/sys-spawn.tap.ts', 'security/children.test.ts'],
  },
  {
    number: 11,
    rule:
      "What is exec'd is what was tested: one descriptor, of a program that only those may change " +
      'who could change svinit itself.',
    tests: ['security/program.test.ts', 'supervisor/upgrade.test.ts'],
  },
  {
    number: 12,
    rule: 'A signal goes to a child that has not been reaped; no file with a number is believed.',
    tests: ['matrix/processes.test.ts', 'simulate/simulate.test.ts'],
  },
  {
    number: 13,
    rule: 'No shell is reached past a disk that could not be unlocked.',
    why: 'svinit unlocks no disk',
  },
  {
    number: 14,
    rule: 'Nobody else reads or writes state, FIFOs and logs; PID 1 has umask 077.',
    tests: ['boot/boot.test.ts', 'security/surface.test.ts'],
  },
  {
    number: 15,
    rule: 'No text of a service or a stranger acts on a terminal or forges a log line.',
    tests: ['cli/print.test.ts', 'core/logline.test.ts', 'supervisor/scan-refuse.test.ts'],
  },
  {
    number: 16,
    rule:
      'PID 1 keeps a short list of variables, and no word of the kernel command line becomes one ' +
      'of a service.',
    tests: [
      'boot/environment.test.ts',
      'core/cmdline.test.ts',
      'core/environment.test.ts',
      'security/children.test.ts',
    ],
  },
  {
    number: 17,
    rule: 'An update is signed, never older, and used as it was verified.',
    why: 'svinit fetches no updates',
  },
  {
    number: 18,
    rule: 'HTTP is parsed in a child that believes no length.',
    why: 'svinit does not boot over HTTP',
  },
  {
    number: 19,
    rule: 'No signal opens a debugger in PID 1 or the logger, and no variable leaves one open.',
    tests: ['security/surface.test.ts', 'supervisor/signals.test.ts'],
  },
  {
    number: 20,
    rule: 'Runtimes and packages have one version each, and what is tested is what is shipped.',
    tests: ['security/source.test.ts', 'security/surface.test.ts'],
  },
  {
    number: 21,
    rule: 'What services print has a quota on disk and in memory, and does not pass through PID 1.',
    tests: ['log/file.test.ts', 'log/full.test.ts'],
  },
  {
    number: 22,
    rule: 'Clients are few, and cannot take the last descriptors: accept(2) and services need them.',
    tests: ['matrix/resources.test.ts', 'security/surface.test.ts', 'supervisor/limits.test.ts'],
  },
];

/** The rules as a table in Markdown, for docs/reliability.md. */
export function rulesTable(): string {
  const rows = RULES.map((rule) => {
    const proof = 'tests' in rule ? rule.tests.join(', ') : `does not apply: ${rule.why}`;
    return `| C${rule.number} | ${rule.rule} | ${proof} |`;
  });
  return ['| | rule | proved in test/ |', '|---|---|---|', ...rows, ''].join('\n');
}
