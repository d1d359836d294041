/**
 * What the second life keeps of the first one's variables, and what the kernel says of mounts.
 */
import t from 'tap';
import {
  containerDirectory,
  containerEnvironment,
  PATH,
  stage0Environment,
} from '../../src/core/environment.ts';
import { parseMountinfo, typeMounted } from '../../src/core/mountinfo.ts';

const MOUNTINFO = `23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 - ext3 /dev/root rw,errors=continue
37 35 98:0 / /a rw - fuse.some-\\043type x rw
nonsense
38 35 98:0 / /b rw shared:7 propagate_from:2 - tmpfs a\\040-\\040b rw
39 35 98:0 / /sys ro - tmpfs tmpfs ro
40 35 98:0 / /cut rw
`;

t.test('parseMountinfo()', async (t) => {
  const mounts = parseMountinfo(MOUNTINFO);
  t.same(mounts, [
    { target: '/sys', type: 'sysfs' },
    { target: '/mnt 2\\x', type: 'ext3' },
    { target: '/a', type: 'fuse.some-#type' },
    { target: '/b', type: 'tmpfs' },
    { target: '/sys', type: 'tmpfs' },
  ]);
  t.equal(typeMounted(mounts, '/sys'), 'tmpfs', 'the last is on top');
  t.equal(typeMounted(mounts, '/mnt'), null);
  t.same(parseMountinfo(''), []);
});

const GIVEN = {
  PATH: '/opt/bin',
  TERM: 'xterm-256color',
  LD_PRELOAD: '/x.so',
  NODE_OPTIONS: '--require=/x',
  BUN_OPTIONS: '--preload=/x',
  SVINIT_RUN: '/tmp/r',
  X: 'a=b\nc',
};

t.test('C16 stage0Environment() on a machine is an allow-list', async (t) => {
  t.same(stage0Environment(GIVEN, { machine: true, cwd: '/', meminfo: null }), [
    `PATH=${PATH}`,
    'HOME=/',
    'BUN_GC_TIMER_DISABLE=1',
    'BUN_JSC_useConcurrentJIT=0',
    'BUN_JSC_useConcurrentGC=0',
    'BUN_JSC_numberOfGCMarkers=1',
    'BUN_JSC_useFTLJIT=0',
    'BUN_JSC_thresholdForOptimizeAfterWarmUp=10000',
    'BUN_JSC_thresholdForOptimizeAfterLongWarmUp=10000',
    'MIMALLOC_RESERVE_OS_MEMORY=192MiB',
    'MIMALLOC_DISALLOW_OS_ALLOC=1',
    'TERM=xterm-256color',
  ]);
  for (const TERM of ['', 'a b', '../x', '-x', 'x'.repeat(33)]) {
    const env = stage0Environment({ TERM }, { machine: true, cwd: '/', meminfo: null });
    t.notOk(
      env.some((word) => word.startsWith('TERM=')),
      JSON.stringify(TERM),
    );
  }
});

t.test('stage0Environment() gives the heap of a large machine more room', async (t) => {
  const room = (totalKib: number): string | undefined => {
    const meminfo = `MemTotal: ${String(totalKib).padStart(14)} kB\nMemFree: 1 kB\n`;
    const env = stage0Environment({}, { machine: true, cwd: '/', meminfo });
    return env.find((word) => word.startsWith('MIMALLOC_RESERVE'))?.split('=')[1];
  };
  t.equal(room(262_144), '192MiB');
  t.equal(room(1_048_576), '256MiB');
  t.equal(room(67_108_864), '512MiB');
});

t.test('stage0Environment() in a container carries variables without their power', async (t) => {
  const words = stage0Environment(GIVEN, { machine: false, cwd: '/app', meminfo: null });
  const env = Object.fromEntries(
    words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  t.notOk(Object.keys(env).some((name) => /^(LD_|NODE_|BUN_OPTIONS)/.test(name)));
  t.equal(env['PATH'], PATH);
  t.equal(env['SVINIT_RUN'], '/tmp/r');
  t.same(containerEnvironment(env), GIVEN, 'all of them come back');
  t.equal(containerDirectory(env), '/app');
  t.same(containerEnvironment({ PATH, SVINIT_ENV_: 'x' }), {});
  t.equal(containerDirectory({}), '/');
});
