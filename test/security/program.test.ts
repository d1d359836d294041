/** What becomes PID 1 next: which program, and which state. Others have no say in either. */
import {
  chmodSync,
  chownSync,
  cpSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from '../supervisor/definitions.ts';
import { type Instance, start, until } from '../supervisor/instance.ts';
import { ROOT, USER } from '../supervisor/roots.ts';

const ATTEMPTS = 20;
const isRoot = process.getuid?.() === ROOT;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what becomes PID 1`, async (t) => {
    const svinit = await start(t, { runtime, services: { alpha: longrun('alpha') } });

    await t.test(`${runtime}: C11 only what was tested, and by none but svinit's`, async (t) => {
      await onlyTrusted(t, svinit);
    });

    await t.test(`${runtime}: C11 the file that was tested, whatever has its name`, async (t) => {
      await swapped(t, svinit);
    });

    await t.test(`${runtime}: C3 a state that was forged is not believed`, async (t) => {
      const before = await svinit.service('alpha');
      // Root inside may write to it; what is not a whole state is no state.
      const forge = 'echo forged >/proc/1/fd/200; kill -SEGV 1';
      await svinit.run(['sh', '-c', forge]);
      await svinit.console.expect(/the state of the image before is lost: \d+ processes/);
      const now = await until('it answers', () => svinit.service('alpha').catch(() => null));
      t.equal(now.pid, before.pid, 'what runs is found by itself');
      t.match(await svinit.svctl('restart', 'alpha'), { code: 0 }, 'and obeys as before');
    });
  });
}

async function onlyTrusted(t: Test, svinit: Instance): Promise<void> {
  const write = await svinit.run(['sh', '-c', 'echo >>/proc/1/exe']);
  t.match(write, { code: 1, stderr: /busy|Read-only/ }, 'nobody writes to what runs');
  const path = '/tmp/other';
  const put = (text: string, mode: number): void => {
    writeFileSync(svinit.path(path), text);
    chmodSync(svinit.path(path), mode);
  };
  const wrapper = '#!/bin/sh\nexec /usr/bin/svinit "$@"\n';
  const cases: [act: () => void, said: RegExp][] = [
    [() => put(wrapper, 0o775), /others than its owner may write to it \(mode 0775\)/],
    [() => put(wrapper, 0o757), /others than its owner may write to it \(mode 0757\)/],
    // It would pass the self-test, and could not be read once the descriptor is gone.
    [() => put(wrapper, 0o755), /it is a script/],
  ];
  if (isRoot) cases.push([() => chownSync(svinit.path(path), USER, USER), /owned by uid 1000/]);
  for (const [act, said] of cases) {
    act();
    const { code, stderr } = await svinit.svctl('reexec', '--binary', path);
    t.match({ code, stderr }, { code: 1, stderr: said });
  }
  t.match(await svinit.service('alpha'), { state: 'up', restarts: 0 }, 'PID 1 goes on');
}

/** The name is given to another file while the one that had it shows what it can. */
async function swapped(t: Test, svinit: Instance): Promise<void> {
  const [path, away] = ['/tmp/tested', '/tmp/away'];
  const own = svinit.path('/usr/bin/svinit');
  cpSync(own, svinit.path(path), { dereference: true });
  writeFileSync(svinit.path('/tmp/evil'), '#!/bin/sh\necho "@ evil" >>/proc/1/fd/2\n');
  chmodSync(svinit.path('/tmp/evil'), 0o755);
  const { child, tried } = await stopped(svinit, path);
  renameSync(svinit.path(path), svinit.path(away));
  renameSync(svinit.path('/tmp/evil'), svinit.path(path));
  process.kill(child, 'SIGCONT');
  t.match(await tried(), { code: 0, stdout: /svinit goes on as image/ });
  t.equal(readlinkSync(`/proc/${svinit.pid}/exe`), away, 'it is what was tested');
  t.notOk(svinit.console.said().includes('evil'), 'and the other has not run');
}

type Stopped = { readonly child: number; readonly tried: () => ReturnType<Instance['svctl']> };

/** Has `path` tried until the child that tries it was stopped in time: it may be over too soon. */
async function stopped(svinit: Instance, path: string): Promise<Stopped> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    let isOver = false;
    const tried = svinit.svctl('reexec', '--binary', path).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const child = trialOf(svinit);
      if (child !== null && stop(child)) return { child, tried: () => tried };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  throw new Error(`Nobody was seen to try ${path} in ${ATTEMPTS} attempts`);
}

function stop(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGSTOP');
  } catch {
    return false;
  }
}

/** The host's number of the child that is under test. */
function trialOf(svinit: Instance): number | null {
  const children = readFileSync(`/proc/${svinit.pid}/task/${svinit.pid}/children`, 'utf8');
  const found = children
    .trim()
    .split(' ')
    .find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--self-test');
      } catch {
        return false;
      }
    });
  return found === undefined ? null : Number(found);
}
