/** Limits of devices and processors, and what is told when a limit of memory has killed. */
import t from 'tap';
import { limitWrites, withoutIoLimits } from '../../src/core/cgroup.ts';
import { oomKillsIn, oomWords } from '../../src/core/oom.ts';
import { good, refusals, withJson } from './spec-texts.ts';

t.test('devices have limits of their own, each written by itself', async (t) => {
  const of = (value: unknown) =>
    good(withJson(JSON.stringify({ cgroup: { 'io.max': value, 'cpuset.cpus': '0-3,8' } }))).cgroup;
  const lines = ['8:0 rbps=1048576 wiops=max', '/dev/disk/by-id/ata-x.y:1 wbps=1'];
  t.same(of(lines[0]), { 'io.max': lines[0], 'cpuset.cpus': '0-3,8' });
  t.same(
    limitWrites(of(lines) ?? {}, true).map(({ file, text }) => [file, text]),
    [
      ['io.max', lines[0]],
      ['io.max', lines[1]],
      ['cpuset.cpus', '0-3,8'],
    ],
  );
  t.same(withoutIoLimits('8:0 rbps=1 wbps=max riops=max wiops=max\n253:1 rbps=max\n'), [
    '8:0 rbps=max wbps=max riops=max wiops=max',
    '253:1 rbps=max wbps=max riops=max wiops=max',
  ]);
});

t.test('processes that were killed for want of memory are counted, and told', async (t) => {
  t.equal(oomKillsIn('low 0\nhigh 3\nmax 9\noom 2\noom_kill 12\noom_group_kill 1\n'), 12);
  t.equal(oomKillsIn(''), 0);
  t.equal(oomWords(0, { cgroup: { 'memory.max': '1M' } }), '');
  const words = ': out of memory (memory.max 50M), 1 OOM kill';
  t.equal(oomWords(1, { cgroup: { 'memory.max': '50M' } }), words);
  t.equal(oomWords(2, {}), ': out of memory, 2 OOM kills');
});

t.test('what is no limit of a device is refused', async (t) => {
  for (const bad of [
    '"x"',
    '"8:0"',
    '"8:0 rbps=x"',
    '"/dev/.. rbps=1"',
    '"/dev/../mnt/a rbps=1"',
  ]) {
    t.match(refusals(withJson(`{"cgroup": {"io.max": ${bad}}}`)), [
      /io\.max: expected "DEVICE rbps/,
    ]);
  }
  for (const bad of ['[]', '["8:0 rbps=1", 2]', '8', '"/mnt/a rbps=1"', '"8:0  rbps=1"']) {
    t.match(refusals(withJson(`{"cgroup": {"io.max": ${bad}}}`)), [/io\.max/]);
  }
  t.match(refusals(withJson('{"cgroup": {"cpuset.cpus": "0-"}}')), [
    /cpuset\.cpus: expected numbers/,
  ]);
});
