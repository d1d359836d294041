/** An image made for s6-overlay v3, whose /init is svinit: order, environment, exit codes. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { Transcript } from '../supervisor/transcript.ts';
import { type Container, refusal, start } from './container.ts';
import { buildOverlayImage, overlayLacks, overlayRuntime } from './overlay-image.ts';

const lacks = refusal ?? overlayLacks;
const skip = lacks ?? false;
if (lacks !== null) console.error(`skipped: ${lacks}`);
else {
  for (const runtime of RUNTIMES) await buildOverlayImage(t, runtime, 'bare');
  await buildOverlayImage(t, 'bun', 'baked');
}

const PATH = 'PATH=/command:/bin:/usr/sbin:/usr/bin';
/** A busy machine must not be short of time on the way down. */
const WHO = ['--env', 'WHO=me and you', '--env', 'S6_SERVICES_GRACETIME=60000'];
const UP = [
  `first WHO= ${PATH}`,
  `second WHO=me and you ${PATH}`,
  'prepare WHO=me and you',
  `web WHO=me and you ${PATH}`,
  `old WHO= ${PATH}`,
  `late WHO= ${PATH}`,
];
const DOWN = ['stop old', 'stop web', 'unprepare', `last WHO=me and you ${PATH}`];
/** What a command says; it comes when base and user are up, and waits for nothing else. */
const CMD = 'echo "@ cmd WHO=$WHO PATH=$PATH in $PWD" >>/record/said';
/** Waits until the others, for which no command waits, have had their say. */
const ALL =
  'svctl wait late talk >&2; until grep -q talked /record/log/current 2>/dev/null; do sleep 0.1; done;' +
  'until grep -q "@ old" /record/said; do sleep 0.1; done';
const IDLE = 'sleep 1000 & wait';

/** What was said, without the command and what does not wait for it. */
function order(container: Container): readonly string[] {
  return container.record.said().filter((line) => !/^(cmd|late) /.test(line));
}
const WITHOUT_LATE = UP.filter((line) => !line.startsWith('late'));

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: up, the command, down`, { skip }, async (t) => {
    const container = await start(t, {
      runtime: overlayRuntime(runtime),
      services: {},
      options: [...WHO, '--workdir', '/tmp', '--env', 'S6_CMD_WAIT_FOR_SERVICES=1'],
      args: [
        'sh',
        '-c',
        `${ALL}; s6-svstat -o up,ready /run/service/web; ls -lnd /data/below /data/below/file; ${CMD}; echo to stdout`,
      ],
    });
    const { code, stdout } = await container.end();
    t.equal(code, 0);
    t.same(order(container), [...WITHOUT_LATE, ...DOWN]);
    const said = container.record.said();
    t.ok(
      said.includes(`cmd WHO= ${PATH} in /tmp`),
      'a command has a PATH alone, and its directory',
    );
    t.ok(said.includes(`late WHO= ${PATH}`));
    t.notOk(
      said.some((line) => line.startsWith('unwanted')),
      'what is in no bundle is not started',
    );
    t.match(stdout, /^to stdout$/m, 'the output of the command is that of the container');
    t.match(stdout, /^drwx--x--- .* 65534 .* \/data\/below$/m, 'fix-attrs.d');
    t.match(stdout, /^-rw-r----- .* 65534 .* \/data\/below\/file$/m);
    t.match(stdout, /^true true$/m, 'clients of s6 see the services');
    t.match(stdout, /^web was here$/m, 'and so is that of services');
    const logged = new Transcript(`${container.directory}/log/current`).text();
    t.match(logged, /^[0-9]{4}-.* {2}talked$/m, "that of a producer is its logger's");
    t.notMatch(stdout, /talked/);
    t.notMatch(stdout, /^\{/m, 'what svinit itself has to say is not');
  });

  t.test(`${runtime}: TERM`, { skip }, async (t) => {
    const { container } = await running(t, runtime);
    t.match(await container.svctl('reexec'), { code: 0 });
    await container.stop();
    t.match(await container.end(), { code: 0 }, 'the file of the exit code says 0');
    t.same(order(container), [...WITHOUT_LATE, ...DOWN]);
  });
}

t.test('exit codes', { skip }, async (t) => {
  const codes: readonly (readonly [what: string, command: string, code: number, env?: string])[] = [
    ['of the command', 'exit 7', 7],
    ['of a command that was killed', 'kill -9 $$', 137],
    ['of a service that failed, wrote it and called halt', IDLE, 3, 'FAIL=web'],
    [
      'the last to write it counts',
      `echo 9 >/run/s6-linux-init-container-results/exitcode; kill 1; ${IDLE}`,
      9,
    ],
  ];
  for (const [what, command, code, env] of codes) {
    const container = await start(t, {
      runtime: overlayRuntime('bun'),
      services: {},
      options: [...WHO, ...(env === undefined ? [] : ['--env', env])],
      args: ['sh', '-c', command],
    });
    t.match(await container.end(), { code }, what);
    t.same(order(container).slice(-1), DOWN.slice(-1), 'all of the way down');
  }
  const nothing = await start(t, {
    runtime: overlayRuntime('bun'),
    services: {},
    options: WHO,
    args: ['no-such-program'],
  });
  t.match(await nothing.end(), { code: 127 }, 'of a command that is not there');
});

t.test(
  'a failing script is the end of the container if that was asked for',
  { skip },
  async (t) => {
    const container = await start(t, {
      runtime: overlayRuntime('bun'),
      services: {},
      options: [...WHO, '--env', 'S6_BEHAVIOUR_IF_STAGE2_FAILS=2', '--env', 'BROKEN=1'],
      args: ['sh', '-c', CMD],
    });
    t.match(await container.end(), { code: 1 });
    t.same(container.record.said().slice(0, 2), UP.slice(0, 2), 'all scripts run all the same');
    t.notMatch(container.record.text(), /@ (web|cmd)/);
  },
);

t.test('a command waits for services as long as was asked for', { skip }, async (t) => {
  const container = await start(t, {
    runtime: overlayRuntime('bun'),
    services: {},
    options: [...WHO, '--env', 'FAIL=mute', '--env', 'S6_CMD_WAIT_FOR_SERVICES_MAXTIME=300'],
    args: ['sh', '-c', `${CMD}; exit 6`],
  });
  t.match(await container.end(), { code: 6 }, 'a service that is never ready is not waited for');
  t.match(container.record.text(), /@ web [\s\S]*@ cmd/);
});

t.test('the way down does not wait for the way up', { skip }, async (t) => {
  const container = await start(t, {
    runtime: overlayRuntime('bun'),
    services: {},
    options: [...WHO, '--env', 'HANG=1'],
    args: ['sh', '-c', CMD],
  });
  await container.record.expect(/^@ second /m);
  await container.stop();
  t.match(await container.end(), { code: 0 });
  t.notMatch(container.record.text(), /@ (web|cmd)/);
});

t.test('signals are for the command if that was asked for', { skip }, async (t) => {
  const trap = `trap 'echo "@ USR1" >>/record/said; exit 4' USR1; ${CMD}; sleep 1000 & wait`;
  const container = await start(t, {
    runtime: overlayRuntime('bun'),
    services: {},
    options: [...WHO, '--env', 'S6_CMD_RECEIVE_SIGNALS=1', '--env', 'S6_KEEP_ENV=1'],
    args: ['sh', '-c', trap],
  });
  await container.record.expect(/^@ cmd /m);
  t.match(container.record.text(), /@ cmd WHO=me and you/, 'S6_KEEP_ENV');
  await container.run('kill', '-USR1', '1');
  t.match(await container.end(), { code: 4 });
});

const PLACES: readonly (readonly [
  where: string,
  options: readonly string[],
  args: readonly string[],
])[] = [
  ['not as PID 1', ['--entrypoint', 'sh'], ['-c', '/init "$@"; exit $?', 'sh']],
  ['as a user', ['--user', '1000'], []],
  [
    'with a root that is read-only, a /run that is noexec, and no capability',
    ['--read-only', '--cap-drop', 'all', '--tmpfs', '/run:rw,noexec,nosuid,mode=1777'],
    [],
  ],
];

for (const [where, options, args] of PLACES) {
  t.test(where, { skip }, async (t) => {
    const look =
      'grep -c " /run tmpfs [^ ]*noexec" /proc/mounts >>/record/run; id -u >>/record/run';
    const container = await start(t, {
      runtime: overlayRuntime('bun', 'baked'),
      services: {},
      options: [...WHO, ...options],
      args: [...args, 'sh', '-c', `${ALL}; ${look}; ${CMD}; exit 5`],
    });
    t.match(await container.end(), { code: 5 });
    t.same(order(container), [...WITHOUT_LATE, ...DOWN]);
    t.match(container.record.said(), [...UP.slice(0, 4)]);
    t.notMatch(container.console.text(), /Cannot/);
  });
}

t.test('a service ends a container whose /run is noexec', { skip }, async (t) => {
  const container = await start(t, {
    runtime: overlayRuntime('bun', 'baked'),
    services: {},
    options: [...WHO, '--read-only', '--tmpfs', '/run:rw,noexec,mode=1777', '--env', 'FAIL=web'],
    args: ['sh', '-c', IDLE],
  });
  t.match(await container.end(), { code: 3 });
});

/** A container whose command waits for its end. */
async function running(
  t: Parameters<typeof start>[0],
  runtime: (typeof RUNTIMES)[number],
): Promise<{ container: Container }> {
  const container = await start(t, {
    runtime: overlayRuntime(runtime),
    services: {},
    options: WHO,
    args: ['sh', '-c', `${CMD}; ${IDLE}`],
  });
  await container.record.expect(/^@ cmd /m);
  await container.record.expect(/^@ old /m);
  return { container };
}
