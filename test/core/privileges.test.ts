/**
 * The chain of programs by which a service runs as whom and with what it shall.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Chained, chainOf } from '../../src/core/privileges.ts';
import { parse, withJson } from './spec-texts.ts';

const of = (json: object) => parse(withJson(JSON.stringify(json)));
const plain = (json: object) => parse({ 'service.json': JSON.stringify(json) });

/** The steps of its shell, without the functions that they are made of. */
function stepsOf(chained: Chained, environment = {}): string[] {
  const chain = chainOf(chained, environment);
  const script = chain[chain.lastIndexOf('-c') + 1] ?? '';
  return script.split('\n').slice(3);
}

t.test('chainOf() puts in front what is needed, and nothing else', async (t) => {
  t.same(chainOf({}), []);
  t.same(chainOf({ privileges: { umask: 0o27 } }), []);
  const [shell, option, , name, ...rest] = chainOf({ privileges: { nice: -5 } });
  t.same([shell, option, name, ...rest], ['/bin/sh', '-c', 'svinit']);
  t.same(stepsOf({ privileges: { nice: -5, limits: { nofile: '64:128', core: 'unlimited' } } }), [
    'unset PWD OLDPWD SHLVL',
    'try nice /usr/bin/renice -5 -p $$',
    'try limits /usr/bin/prlimit --pid $$ --nofile=64:128 --core=unlimited',
    'exec "$@"',
  ]);
  const { scheduling } = { scheduling: { policy: 'fifo', priority: 7 } } as const;
  t.same(stepsOf({ privileges: { scheduling, ioPriority: 3, cpus: '0-1', oomScoreAdjust: 9 } }), [
    'unset PWD OLDPWD SHLVL',
    '{ echo 9 > /proc/self/oom_score_adj; } 2> /dev/null || ' +
      "fail 'oomScoreAdjust: cannot write 9 to /proc/self/oom_score_adj'",
    'try scheduling /usr/bin/chrt --fifo -p 7 $$',
    'try ioPriority /usr/bin/ionice -c 2 -n 3 -p $$',
    'try cpus /usr/bin/taskset -c -p 0-1 $$',
    'exec "$@"',
  ]);
});

t.test('who it becomes is looked up, tried, and done last', async (t) => {
  const setpriv = '/usr/bin/setpriv';
  const own = '--reuid=www --regid="$svinit_gid" --init-groups';
  t.same(stepsOf({ privileges: { user: 'www', limits: { as: '9' } } }), [
    'unset PWD OLDPWD SHLVL',
    `svinit_uid=$(/usr/bin/id -u -- 'www' 2>&1) || fail "user: $svinit_uid"`,
    '[ ! -p /proc/self/fd/2 ] ||',
    '  /bin/chown "$svinit_uid" /proc/self/fd/1 /proc/self/fd/3 3>&2 2> /dev/null',
    `svinit_gid=$(/usr/bin/id -g -- 'www' 2>&1) || fail "user: $svinit_gid"`,
    `${setpriv} ${own} -- /bin/true 2> /dev/null || {`,
    `  try user ${setpriv} --clear-groups --reuid=www --regid="$svinit_gid" -- /bin/true`,
    `  try 'user' ${setpriv} ${own} -- /bin/true`,
    '}',
    'try limits /usr/bin/prlimit --pid $$ --as=9',
    `exec ${setpriv} ${own} -- "$@"`,
  ]);
  for (const [privileges, words] of [
    [{ group: 'daemon' }, '--regid=daemon --keep-groups'],
    [{ group: 'daemon', groups: [] }, '--regid=daemon --clear-groups'],
    [{ user: '7', group: 'a', groups: ['b', 'c'] }, '--reuid=7 --regid=a --groups=b,c'],
    [{ noNewPrivileges: true }, '--no-new-privs'],
    [{ capabilities: [] }, '--inh-caps=-all --bounding-set=-all'],
    [{ user: 'root', group: 'a', capabilities: [] }, '--inh-caps=-all --bounding-set=-all'],
    [
      { user: '7', group: '8', capabilities: ['kill'] },
      '--inh-caps=-all,+kill --ambient-caps=-all,+kill --bounding-set=-all,+kill',
    ],
  ] as const) {
    t.ok(stepsOf({ privileges }).at(-1)?.endsWith(`${words} -- "$@"`), words);
  }
});

t.test('another root is entered with numbers that mean the same there', async (t) => {
  const confinement = { chroot: "/srv/it's" };
  t.same(stepsOf({ confinement }), [
    'unset PWD OLDPWD SHLVL',
    'svinit_groups=',
    `[ -d '/srv/it'\\''s' ] || fail 'chroot: there is no directory /srv/it'\\''s'`,
    `exec /usr/sbin/chroot '/srv/it'\\''s' "$@"`,
  ]);
  const privileges = { user: 'www', noNewPrivileges: true };
  t.equal(
    stepsOf({ confinement: { chroot: '/srv' }, privileges }).at(-1),
    'exec /usr/bin/setpriv --no-new-privs -- /usr/sbin/chroot ' +
      '--userspec=+"$svinit_uid":+"$svinit_gid" --groups="$svinit_groups" \'/srv\' "$@"',
  );
});

t.test('what is mounted is mounted in a namespace of its own', async (t) => {
  const chain = chainOf({ confinement: { privateTmp: true, readOnlyPaths: ['/etc', '-/x y'] } });
  t.same(chain.slice(3, 8), ['svinit', '/usr/bin/unshare', '-m', '--propagation', 'slave']);
  t.match(chain[2], 'try privateTmp /usr/bin/unshare -m --propagation slave /bin/true');
  t.match(chain[10], /^readonly_path '\/etc'\n\[ ! -e '\/x y' \] \|\| readonly_path '\/x y'$/m);
});

t.test('the shell takes nothing away from the environment, and adds nothing', async (t) => {
  const environment = { PATH: '/bin', PWD: '/x', 'A.B': 'c d' };
  const chain = chainOf({ privileges: { nice: 1 } }, environment);
  t.match(chain[2], /^unset OLDPWD SHLVL$/m);
  t.same(chain.slice(4), ['/usr/bin/env', 'A.B=c d']);
  t.same(chainOf({}, environment), []);
  t.match(chainOf({}, environment, true)[2], /^export LISTEN_PID=\$\$\nexec "\$@"$/m);
  t.same(chainOf({ root: 'os' }, environment), ['/usr/bin/env', 'A.B=c d'], 'it comes by a shell');
});

t.test('docs/privileges.md shows the chain as it is', async (t) => {
  const manual = readFileSync(new URL('../../docs/privileges.md', import.meta.url), 'utf8');
  const [, json = '', words] = /```json\n(.*?)```.*?```\n(.*?)```/s.exec(manual) ?? [];
  const { spec } = parse({ 'service.json': json });
  if (spec?.start == null) throw new Error('the example is refused');
  t.equal(words, [...chainOf(spec), spec.start.path, ''].join('\n'));
});

t.test('a definition takes what tools take, and names what it does not', async (t) => {
  const good = { user: 'www-data', groups: ['1000'], umask: '0027', limits: { nofile: 64 } };
  t.match(of(good).spec?.privileges, { ...good, umask: 0o27, limits: { nofile: '64' } });
  const fast = { scheduling: { policy: 'rr', priority: 1 }, ioClass: 'idle', cpus: '0-3,8' };
  t.match(of(fast).spec?.privileges, fast);
  t.match(of({ scheduling: { policy: 'batch' } }).spec?.privileges, {
    scheduling: { priority: 0 },
  });
  t.notOk('privileges' in (of({}).spec ?? {}));
  t.ok(of({ user: '4294967294' }).spec, 'the largest uid');
  for (const bad of [
    ...[{ user: "x'; reboot" }, { user: '' }, { user: '-x' }, { group: 'a b' }, { groups: 'a' }],
    // setpriv(1) takes the first for "no change" and the others for 0, which is root.
    ...[{ user: '4294967295' }, { user: '4294967296' }, { group: '4294967296' }, { user: '00' }],
    ...[{ groups: ['8589934592'] }, { user: '007' }],
    ...[{ umask: '9' }, { umask: 27 }, { nice: 20 }, { nice: 1.5 }, { oomScoreAdjust: 1001 }],
    ...[{ limits: { nofiles: 1 } }, { limits: { nofile: '1;2' } }, { limits: { nofile: ':' } }],
    ...[{ capabilities: ['CAP_SYS_ADMIN'] }, { capabilities: ['a,+all'] }, { limits: [] }],
    ...[{ noNewPrivileges: 1 }, { limits: { nofile: '' } }, { limits: { nofile: -1 } }],
    ...[{ cpus: '0-' }, { cpus: '0; reboot' }, { cpus: 1 }, { ioClass: 'none' }, { ioPriority: 8 }],
    ...[{ scheduling: 'fifo' }, { scheduling: {} }, { scheduling: { policy: 'fifo' } }],
    ...[{ scheduling: { policy: 'idle', priority: 1 } }, { scheduling: { policy: 'x' } }],
    ...[{ scheduling: { policy: 'rr', priority: 100 } }, { scheduling: { policy: 'rr', x: 1 } }],
  ]) {
    const { spec, problems } = of(bad);
    t.equal(spec, null, JSON.stringify(bad));
    t.match(problems[0]?.reason, Object.keys(bad)[0]);
  }
  t.match(of({ capabilities: ['net_bind_servise'] }).problems[0]?.reason, "'net_bind_service'?");
});

t.test('so do the keys of files and mounts', async (t) => {
  const command = ['/server'];
  t.match(plain({ command, envFile: '-/etc/default/x' }).spec, { envFiles: ['-/etc/default/x'] });
  t.match(of({ envFile: ['/a', '-/b'] }).spec, { envFiles: ['/a', '-/b'] });
  const all = { chroot: '/srv', privateTmp: true, readOnlyPaths: ['/etc', '-/x'] };
  t.match(plain({ command, ...all }).spec, { confinement: all });
  t.notOk('confinement' in (of({ privateTmp: false, readOnlyPaths: [] }).spec ?? {}));
  for (const bad of [
    ...[{ envFile: 'x' }, { envFile: 1 }, { envFile: ['/a', 'b'] }, { envFile: '/a/../b' }],
    ...[{ chroot: 'srv' }, { chroot: '-/srv' }, { chroot: '/a\nb' }, { chroot: '/..' }],
    ...[{ privateTmp: 'yes' }, { readOnlyPaths: '/etc' }, { readOnlyPaths: ['etc'] }],
  ]) {
    const { spec, problems } = plain({ command, ...bad });
    t.equal(spec, null, JSON.stringify(bad));
    t.match(problems[0]?.reason, Object.keys(bad)[0]);
  }
});

t.test('what cannot be had together with another root is refused', async (t) => {
  const command = ['/server'];
  t.match(parse({ run: '#!/bin/sh\n', ...withJson('{"chroot": "/srv"}') }).problems, [
    { file: 'service.json', reason: /'chroot' needs 'command'/ },
  ]);
  for (const more of [{ cwd: '/x' }, { capabilities: [] }]) {
    const { problems } = plain({ command, chroot: '/srv', ...more });
    t.match(problems, [{ reason: new RegExp(`'chroot' and '${Object.keys(more)[0]}'`) }]);
  }
  const texts = { finish: '#!/bin/sh\n', 'service.json': '{"command": ["/x"], "chroot": "/srv"}' };
  t.match(parse(texts).problems, [{ reason: /'chroot' and 'finish'/ }]);
});
