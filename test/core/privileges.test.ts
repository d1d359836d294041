/**
 * The chain of programs by which a service runs as whom and with what it shall.
 */
import t from 'tap';
import { chainOf } from '../../src/core/privileges.ts';
import { parse, withJson } from './spec-texts.ts';

t.test('chainOf() puts in front what is needed, and nothing else', async (t) => {
  t.same(chainOf({ umask: 0o27 }), []);
  t.same(chainOf({ limits: { nofile: '64:128', core: 'unlimited' } }), [
    ...['/usr/bin/prlimit', '--nofile=64:128', '--core=unlimited', '--'],
  ]);
  t.same(chainOf({ nice: -5 }), ['/usr/bin/nice', '-n', '-5']);
  t.same(chainOf({ group: 'daemon', groups: [] }), [
    ...['/usr/bin/setpriv', '--regid=daemon', '--clear-groups', '--'],
  ]);
  t.same(chainOf({ user: 'www', group: 'www', groups: ['a', 'b'], noNewPrivileges: true }), [
    ...['/usr/bin/setpriv', '--reuid=www', '--regid=www', '--groups=a,b', '--no-new-privs', '--'],
  ]);
  t.same(chainOf({ capabilities: [] }), [
    ...['/usr/bin/setpriv', '--inh-caps=-all', '--bounding-set=-all', '--'],
  ]);
});

t.test('what has to be looked up, or written, is done by a shell in between', async (t) => {
  const [shell, option, script, name] = chainOf({
    user: 'www',
    oomScoreAdjust: 500,
    nice: 3,
    capabilities: ['net_bind_service'],
  });
  t.same([shell, option, name], ['/bin/sh', '-c', 'svinit']);
  t.equal(
    script,
    'echo 500 > /proc/self/oom_score_adj || exit 111; ' +
      "group=$(id -g -- 'www') || exit 111; " +
      'exec /usr/bin/nice -n 3 /usr/bin/setpriv --regid="$group" --reuid=www --init-groups ' +
      '--inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service ' +
      '--bounding-set=-all,+net_bind_service -- "$@"',
  );
});

t.test('a definition takes what tools take, and names what it does not', async (t) => {
  const of = (json: object) => parse(withJson(JSON.stringify(json)));
  const good = { user: 'www-data', groups: ['1000'], umask: '0027', limits: { nofile: 64 } };
  t.match(of(good).spec?.privileges, { ...good, umask: 0o27, limits: { nofile: '64' } });
  t.notOk('privileges' in (of({}).spec ?? {}));
  for (const bad of [
    ...[{ user: "x'; reboot" }, { user: '' }, { user: '-x' }, { group: 'a b' }, { groups: 'a' }],
    ...[{ umask: '9' }, { umask: 27 }, { nice: 20 }, { nice: 1.5 }, { oomScoreAdjust: 1001 }],
    ...[{ limits: { nofiles: 1 } }, { limits: { nofile: '1;2' } }, { limits: { nofile: ':' } }],
    ...[{ capabilities: ['CAP_SYS_ADMIN'] }, { capabilities: ['a,+all'] }, { limits: [] }],
    ...[{ noNewPrivileges: 1 }, { limits: { nofile: '' } }, { limits: { nofile: -1 } }],
  ]) {
    const { spec, problems } = of(bad);
    t.equal(spec, null, JSON.stringify(bad));
    t.match(problems[0]?.reason, Object.keys(bad)[0]);
  }
});
