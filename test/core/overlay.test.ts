/** Images made for s6-overlay: what their variables ask for, and the services around their own. */
import t from 'tap';
import { plainSpec } from '../../src/core/builtins.ts';
import { buildGraph } from '../../src/core/graph.ts';
import {
  asBundle,
  COMMAND,
  commandBehind,
  GATE,
  OVERLAY,
  type Overlay,
  overlayNotices,
  overlaySpecs,
  TOP,
} from '../../src/core/overlay.ts';
import { parseAttributes } from '../../src/core/overlay-attributes.ts';
import { downWithin, overlayPath, overlaySettings } from '../../src/core/overlay-settings.ts';
import { judgeStart } from '../../src/core/overlay-start.ts';
import type { ServiceView } from '../../src/core/service-view.ts';
import type { Spec } from '../../src/core/spec.ts';
import { parseSpec } from '../../src/core/spec-files.ts';

t.test('overlaySettings()', async (t) => {
  const usual = overlaySettings({});
  t.match(usual, {
    ...{ path: '/command:/usr/bin:/bin', keepEnv: false, echo: true, verbosity: 2 },
    ...{ onFailure: 'ignore', finishWithin: 5000, servicesWithin: 3000, killWithin: 3000 },
    ...{ prefix: [], signalsToCommand: false, awaitLegacy: false, waitWithin: null, hook: [] },
    notices: [],
  });
  t.equal(downWithin(usual), 8000);
  const asked = overlaySettings({
    ...{ S6_KEEP_ENV: '1', S6_LOGGING: '2', S6_VERBOSITY: '0', S6_BEHAVIOUR_IF_STAGE2_FAILS: '2' },
    ...{ S6_KILL_FINISH_MAXTIME: '0', S6_SERVICES_GRACETIME: '10', S6_KILL_GRACETIME: '0' },
    ...{ S6_CMD_ARG0: ' with-contenv  sh ', S6_CMD_RECEIVE_SIGNALS: '1', S6_STAGE2_HOOK: '/a b' },
    ...{ S6_CMD_WAIT_FOR_SERVICES: '1', S6_CMD_WAIT_FOR_SERVICES_MAXTIME: '700' },
  });
  t.match(asked, {
    ...{ keepEnv: true, echo: false, verbosity: 0, onFailure: 'stop', finishWithin: null },
    ...{ servicesWithin: 10, killWithin: 0, prefix: ['with-contenv', 'sh'], hook: ['/a', 'b'] },
    ...{ signalsToCommand: true, awaitLegacy: true, waitWithin: 700, notices: [] },
  });
  t.equal(downWithin(asked), 60_010);
  t.equal(overlaySettings({ S6_BEHAVIOUR_IF_STAGE2_FAILS: '1' }).onFailure, 'warn');
  t.same(overlaySettings({ S6_KILL_GRACETIME: '3s', S6_KEEP_ENV: '-1' }).notices, [
    "Cannot use S6_KEEP_ENV: it says '-1', expected a number from 0 on",
    "Cannot use S6_KILL_GRACETIME: it says '3s', expected a number from 0 on",
  ]);
  t.match(overlaySettings({ S6_SYNC_DISKS: '1' }).notices, [/^S6_SYNC_DISKS has no effect: /]);
});

t.test('overlayPath()', async (t) => {
  t.equal(overlayPath(undefined), '/command:/usr/bin:/bin');
  t.equal(overlayPath('/usr/sbin:/bin'), '/command:/usr/bin:/usr/sbin:/bin');
});

t.test('commandBehind()', async (t) => {
  t.same(commandBehind(['nginx', '--help']), ['--', 'nginx', '--help']);
  for (const words of [[], ['--quiet', 'x'], ['--', 'nginx']]) t.same(commandBehind(words), words);
});

const overlay = (env: Record<string, string>, command: readonly string[] | null): Overlay => ({
  settings: overlaySettings(env),
  ...{ self: '/svinit', own: { A: '1' }, hasClients: false, command, cwd: '/work', notices: [] },
  there: new Set<string>([OVERLAY.init]),
});

const service = (name: string, root: string, more: Partial<Spec> = {}): Spec =>
  plainSpec({ name, description: '', start: null, directory: `${root}/${name}`, ...more });
const bundle = (name: string, root: string, contents: string[]): Spec =>
  service(name, root, { type: 'bundle', contents });

const FOUND: readonly Spec[] = [
  service('web', OVERLAY.sources, { initially: 'target' }),
  bundle('user', OVERLAY.sources, ['web']),
  service('old', OVERLAY.legacy, { stopWithin: null }),
];

t.test('overlaySpecs()', async (t) => {
  const newer = [bundle('user', OVERLAY.bundles, ['db']), bundle('user2', OVERLAY.bundles, ['x'])];
  const specs = overlaySpecs(overlay({}, ['sh', '-c', 'x']), FOUND, newer);
  const by = new Map(specs.map((spec) => [spec.name, spec]));
  t.equal(by.size, specs.length, 'each name once');
  t.same(by.get(TOP)?.contents, ['base', 'user', 'legacy-services', 'user2']);
  t.same(by.get('user')?.contents, ['db', 'web'], 'members of both places');
  t.same(by.get('user2')?.contents, ['x']);
  t.same(by.get('legacy-services')?.contents, ['old']);
  t.match(by.get('old'), { needs: ['base', 'user'], initially: 'target', stopWithin: 3000 });
  t.match(by.get(COMMAND), { after: ['base', 'user', 'user2'], cwd: '/work', outlet: 'given' });
  t.match(by.get('legacy-cont-init'), {
    ...{ needs: ['fix-attrs'], env: { A: '1' }, down: null },
    start: { path: '/svinit', argv: ['svoverlay', 'cont-init'] },
  });
  t.equal(by.get('fix-attrs')?.start, null, 'nothing runs for a place that is not there');
  const { graph } = buildGraph(by);
  t.same(graph.needs.get('old'), ['fix-attrs', 'legacy-cont-init', 'web']);
  t.same(overlayNotices(FOUND), [
    `user has members in ${OVERLAY.sources}/user; since 3.2.3.2 they belong in ${OVERLAY.bundles}`,
  ]);
});

t.test('what a command waits for', async (t) => {
  const after = (env: Record<string, string>) =>
    overlaySpecs(overlay(env, ['x']), FOUND, []).find(({ name }) => name === COMMAND)?.after;
  t.same(after({ S6_CMD_WAIT_FOR_SERVICES: '1' }), ['base', 'user', 'user2', 'legacy-services']);
  t.same(after({ S6_BEHAVIOUR_IF_STAGE2_FAILS: '1' }), ['base', 'user', 'user2', GATE]);
  t.same(after({ S6_CMD_WAIT_FOR_SERVICES_MAXTIME: '9' }), [GATE]);
  const prefixed = overlaySpecs(overlay({ S6_CMD_ARG0: 'nice' }, ['x', 'y']), [], []);
  t.match(
    prefixed.find(({ name }) => name === COMMAND),
    {
      start: { path: 'nice', argv: ['nice', 'x', 'y'] },
    },
  );
  const own = overlaySpecs(overlay({}, ['x']), [service('main', OVERLAY.sources)], []);
  t.ok(own.some(({ name }) => name === 'main') && own.some(({ name }) => name === COMMAND));
  t.notOk(overlaySpecs(overlay({}, null), FOUND, []).some(({ name }) => name === COMMAND));
});

t.test('asBundle()', async (t) => {
  const files = new Map([['contents.d/web', { text: '', executable: false }]]);
  const texts = { name: 'user', directory: '/x/user', dialect: 's6', files } as const;
  t.match(parseSpec(asBundle(texts)).spec, { type: 'bundle', contents: ['web'] });
});

t.test('parseAttributes()', async (t) => {
  const text = '# mine\n\n/data true abc,32768:32768 0600 0700\n/etc/x false root:adm 644 0755\n';
  t.same(parseAttributes(text), {
    rows: [
      {
        ...{ path: '/data', recursive: true, accounts: ['abc', '32768:32768'] },
        ...{ fileMode: 0o600, directoryMode: 0o700 },
      },
      {
        ...{ path: '/etc/x', recursive: false, accounts: ['root:adm'] },
        ...{ fileMode: 0o644, directoryMode: 0o755 },
      },
    ],
    problems: [],
  });
  const bad: readonly (readonly [string, string])[] = [
    ['/a true root 644', 'expected PATH RECURSE ACCOUNT FMODE DMODE, found 4 words'],
    ['a true root 644 755', "expected an absolute path, found 'a'"],
    ['/a yes root 644 755', "expected true or false, found 'yes'"],
    ['/a true a:b:c 644 755', "expected USER or USER:GROUP, found 'a:b:c'"],
    ['/a true root 648 755', "expected a mode as 0644, found '648'"],
  ];
  for (const [line, why] of bad) {
    t.same(parseAttributes(`\n${line}`).problems, [`line 2: ${why}`]);
  }
});

t.test('judgeStart()', async (t) => {
  const view = (name: string, state: string, want = 'up') =>
    ({ name, state, want, note: 'why' }) as ServiceView;
  const own = [view(GATE, 'starting'), view(COMMAND, 'waiting'), view('off', 'down', 'down')];
  t.same(judgeStart([...own, view('a', 'up'), view('b', 'done')]), { is: 'up' });
  t.same(judgeStart([...own, view('a', 'failed'), view('b', 'starting')]), { is: 'moving' });
  t.same(judgeStart([...own, view('a', 'failed'), view('b', 'waiting')]), {
    is: 'failed',
    why: 'a is failed (why); b is waiting (why)',
  });
});
