/** What a program that svinit starts is given: descriptors, environment, identity, arguments. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import type { Problem } from '../../src/core/spec.ts';
import { type Definitions, writeDefinitions } from '../supervisor/definitions.ts';
import { type Instance, start, until } from '../supervisor/instance.ts';

/** Says which descriptors it has, between two lines that tell its role. */
const listing = (role: string, then = ''): string =>
  `#!/bin/sh\necho begin ${role}\nls -l /proc/self/fd\necho end ${role}\n${then}`;

const STAY = 'exec sleep 1000000\n';

/** What none of them may be started with: no user of that name, no such group, no such limit ... */
const IDENTITIES: Readonly<Record<string, string>> = {
  user: '"user": "0day"',
  number: '"user": 4294967296',
  empty: '"user": ""',
  group: '"group": "0x0"',
  groups: '"groups": ["nobody", "-1"]',
  limits: '"limits": { "nofile": "0x10" }',
  caps: '"capabilities": ["CAP_EVERYTHING"]',
  privileges: '"noNewPrivileges": "yes"',
};

const refused = Object.fromEntries(
  Object.entries(IDENTITIES).map(([name, key]) => {
    const command = JSON.stringify(['touch', `/tmp/ran-${name}`]);
    return [name, { 'service.json': `{ "command": ${command}, ${key} }\n` }];
  }),
);

const services: Definitions = {
  told: {
    run: listing('run', `echo >&3\n${STAY}`),
    finish: listing('finish'),
    'notification-fd': '3\n',
  },
  mute: { run: listing('run', STAY) },
  once: { type: 'oneshot\n', up: listing('up'), down: listing('down') },
  ...refused,
  // Without an identity the same does run.
  plain: { 'service.json': '{ "command": ["touch", "/tmp/ran-plain"] }\n', down: '' },
};

/** Variables that are code to shells, loaders and runtimes. What LD_PRELOAD names is not there. */
const HOSTILE: Readonly<Record<string, string>> = {
  PATH: '/usr/bin',
  ENV: '/x',
  LD_PRELOAD: '/x',
  NODE_EXTRA_CA_CERTS: '/x',
  NODE_PATH: '/x',
  BUN_INSPECT: 'ws://0.0.0.0:6499/x',
  MALLOC_PERTURB_: '1',
};

const ALLOWED =
  /^(?:PATH|HOME|TERM|SVINIT_(?:STAGE0_AT|CWD|ENV_\w+)|BUN_(?:GC|JSC)_\w+|MIMALLOC_\w+)$/;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: children`, async (t) => {
    const svinit = await start(t, { runtime, services, env: HOSTILE });

    await t.test(`${runtime}: C10 a child has its descriptors and no other`, async (t) => {
      await expectDescriptors(t, svinit, 1);
      t.match(await svinit.svctl('reexec'), { code: 0 });
      await expectDescriptors(t, svinit, 2);
      await svinit.run(['/usr/bin/busybox', 'kill', '-SEGV', '1']);
      await svinit.console.expect(/svinit died of .* goes on as image 3/);
      await until('it answers', () => svinit.services().catch(() => null));
      await expectDescriptors(t, svinit, 3);
      put(svinit, '/tmp/lists', '#!/bin/sh\nls /proc/self/fd | tr "\\n" " "\nexit 3\n');
      // 3 is the copy of the state, and 4 the directory that ls itself has open.
      const { stderr } = await svinit.svctl('reexec', '--binary', '/tmp/lists');
      t.match(stderr, /exit 3: 0 1 2 3 4$/m, 'a binary that is tried');
    });

    await t.test(`${runtime}: C16 the environment of PID 1 is a short list`, async (t) => {
      const names = namesOf(`/proc/${svinit.pid}/environ`);
      t.ok(names.includes('SVINIT_ENV_LD_PRELOAD'), 'what it was given has lost its power');
      t.same(
        names.filter((name) => !ALLOWED.test(name)),
        [],
        'and there is nothing else',
      );
      const { pid } = await svinit.service('svlog');
      const logger = namesOf(svinit.path(`/proc/${pid}/environ`));
      t.same(
        logger.filter((name) => !/^(?:PATH|BUN_(?:GC|JSC)_\w+)$/.test(name)),
        [],
        'svlog has less',
      );
    });

    await t.test(`${runtime}: C9 an identity that cannot be had is no start`, async (t) => {
      await svinit.svctl('start', 'plain');
      await until('it has run', async () => existsSync(svinit.path('/tmp/ran-plain')) || null);
      for (const name of Object.keys(IDENTITIES)) {
        const { code, stderr } = await svinit.svctl('start', name);
        t.match({ code, stderr }, { code: 8, stderr: /is refused: service\.json/ }, name);
        t.notOk(existsSync(svinit.path(`/tmp/ran-${name}`)), `${name} has not run`);
      }
    });

    await t.test(`${runtime}: C8 a name is never an option`, async (t) => {
      const odd = ['-rf', '--force', '-', '--'];
      const definitions = Object.fromEntries(odd.map((name) => [name, { run: '#!/bin/sh\n' }]));
      writeDefinitions(svinit.path('/run/svinit/services'), definitions);
      t.match(await svinit.svctl('scan'), { code: 8 }, 'some are refused');
      const reply = await svinit.call('ls');
      const problems = (reply?.result as { problems: Problem[] } | undefined)?.problems ?? [];
      const known = await svinit.services();
      for (const name of odd) {
        const reason = `the name '${name}' begins with '-'`;
        t.match(
          problems.find((problem) => problem.name === name),
          { reason },
        );
        t.notOk(known.has(name), `${name} is no service`);
        // The definition was refused: 8, and not 2, which a wrong option gets.
        t.match(await svinit.svctl('stop', '--', name), { code: 8 }, `${name} is a name behind --`);
      }
      t.match(await svinit.svctl('stop', '-rf'), { code: 2 }, 'and an option before it');
    });
  });
}

type Run = { readonly role: string; readonly files: Readonly<Record<string, string>> };

/** The `round`th run of every program, each ended by a restart of what ran before. */
async function expectDescriptors(t: Test, svinit: Instance, round: number): Promise<void> {
  t.match(await svinit.svctl('restart', 'told', 'mute', 'once'), { code: 0 });
  const roles = { told: ['finish', 'run'], mute: ['run'], once: ['down', 'up'] };
  for (const [name, pair] of Object.entries(roles)) {
    const first = pair.slice(-1);
    const wanted = [...first, ...Array.from({ length: round }, () => pair).flat()];
    const runs = await until(`${name} has run`, async () => {
      const found = runsOf(svinit.log(name));
      return found.length >= wanted.length ? found : null;
    });
    const log = `/run/svinit/log/${name}`;
    const usual = { 0: '/dev/null', 1: log, 2: log };
    const files = (role: string) =>
      name === 'told' && role === 'run' ? { ...usual, 3: 'pipe' } : usual;
    t.same(
      runs,
      wanted.map((role) => ({ role, files: files(role) })),
      `${name}, image ${round}`,
    );
  }
}

function runsOf(lines: readonly string[]): Run[] {
  const text = lines.join('\n');
  return [...text.matchAll(/^begin (\w+)\n([\s\S]*?)^end \1$/gm)].map(
    ([, role = '', list = '']) => {
      const all = [...list.matchAll(/ (\d+) -> (.*)$/gm)].map(([, fd = '', target = '']) => [
        fd,
        target.replace(/:\[\d+\]$/, ''),
      ]);
      // The one with which ls reads the list.
      const files = all.filter(([, target = '']) => !/^\/proc\/\d+\/fd$/.test(target));
      return { role, files: Object.fromEntries(files) };
    },
  );
}

/** The names of the variables in an environ file of proc(5). */
function namesOf(file: string): string[] {
  const words = readFileSync(file, 'utf8').split('\0');
  return words.flatMap((word) => (word === '' ? [] : (word.split('=')[0] ?? '')));
}

function put(svinit: Instance, path: string, text: string): void {
  writeFileSync(svinit.path(path), text);
  chmodSync(svinit.path(path), 0o755);
}
