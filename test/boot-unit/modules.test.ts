/**
 * Reading what is known of modules from a tree of files, and coldplug of a machine whose devices
 * appear as drivers are loaded.
 */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execaNode } from 'execa';
import t, { type Test } from 'tap';
import {
  announce,
  coldplug,
  configTexts,
  type Loader,
  loadAll,
  loadedModules,
  modaliases,
  type Outcome,
  type Places,
  placesOf,
  readIndex,
} from '../../src/boot/modules.ts';
import { splitKernelWords } from '../../src/core/kernel-words.ts';
import { resolve } from '../../src/core/modules.ts';
import type { Fd } from '../../src/core/units.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { SysError } from '../../src/sys/libc.ts';

const KERNEL = {
  'lib/modules.dep': 'a/bus.ko:\na/hub.ko.xz: a/bus.ko\n/abs/disk.ko:\na/balloon.ko:\na/bad.ko:\n',
  'lib/modules.alias': `alias pci:bus* bus
alias bus:hub hub
alias hub:disk disk
alias pci:balloon balloon
alias pci:bad bad
`,
  'etc/modprobe.d/a.conf': 'blacklist balloon\noptions hub speed=2\n',
  'proc/modules': 'ext2 16384 1 - Live 0x0\n',
};

/** A machine below a directory of `t` with these files. */
function machine(t: Test, files: Readonly<Record<string, string>>): Places {
  const root = t.testdir({});
  for (const [path, text] of Object.entries(files)) put(join(root, path), text);
  return {
    modules: join(root, 'lib'),
    config: [join(root, 'etc'), join(root, 'run')],
    devices: join(root, 'sys'),
    loaded: join(root, 'proc/modules'),
  };
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Remembers what was loaded; `act` may refuse, or make devices. */
function loader(act: (module: string) => boolean) {
  const asked: string[] = [];
  const paths: string[] = [];
  const open = new Set<number>();
  const self: Loader = {
    open: (path) => {
      paths.push(path);
      open.add(7);
      return 7 as Fd;
    },
    close: (fd) => {
      open.delete(fd);
    },
    loadModule: (_fd, module, options, compressed) => {
      asked.push(`${module} ${options} ${compressed}`);
      return act(module);
    },
  };
  return { self, asked, paths, open };
}

t.test('coldplug() goes on until no device is new', async (t) => {
  const places = machine(t, {
    ...KERNEL,
    'sys/pci0/1/modalias': 'pci:bus1\n',
    'sys/pci0/2/modalias': 'pci:balloon\n',
    'sys/pci0/3/modalias': 'pci:bus1\n',
    'sys/pci0/4/modalias': 'pci:unknown\n',
    'sys/pci0/5/modalias': '\n',
  });
  symlinkSync(places.devices, join(places.devices, 'subsystem'));
  const { self, asked, paths, open } = loader((module) => {
    if (module === 'bus') put(join(places.devices, 'pci0/1/hub/modalias'), 'bus:hub\n');
    if (module === 'hub') put(join(places.devices, 'pci0/1/hub/disk/modalias'), 'hub:disk\n');
    return true;
  });
  const told: Outcome[] = [];
  coldplug(self, places, readIndex(places, []), (outcome) => told.push(outcome));
  t.same(asked, ['bus  false', 'hub speed=2 true', 'disk  false']);
  t.same(paths, [
    join(places.modules, 'a/bus.ko'),
    join(places.modules, 'a/hub.ko.xz'),
    '/abs/disk.ko',
  ]);
  t.same(
    told.map(({ result }) => result),
    ['loaded', 'loaded', 'loaded'],
  );
  t.equal(open.size, 0, 'no descriptor is left');
});

t.test('a module that cannot be loaded is told, once, and the others go on', async (t) => {
  const places = machine(t, {
    ...KERNEL,
    'sys/1/modalias': 'pci:bad',
    'sys/2/modalias': 'pci:bus1',
    'sys/3/modalias': 'pci:bus2',
  });
  const { self, asked, open } = loader((module) => {
    if (module === 'bad') throw new SysError('syscall', errnoNumber('ENODEV'), 'load module bad');
    return true;
  });
  const told: Outcome[] = [];
  coldplug(self, places, readIndex(places, []), (outcome) => told.push(outcome));
  t.same(asked, ['bad  false', 'bus  false']);
  t.match(told[0], { load: { module: 'bad' }, result: { code: 'ENODEV' } });
  t.equal(open.size, 0, 'no descriptor is left');
});

t.test('loadAll() leaves out what is there', async (t) => {
  const places = machine(t, { ...KERNEL, 'proc/modules': 'bus 1 0 - Live 0x0\n' });
  const { self, asked } = loader(() => false);
  const loads = resolve(readIndex(places, []), 'hub').loads;
  const loaded = loadedModules(places);
  t.match(loadAll(self, places, loads, loaded), [{ result: 'present' }]);
  t.same(asked, ['hub speed=2 true']);
  t.same([...loaded], ['bus', 'hub']);
});

t.test('configTexts() takes a name from the more important directory', async (t) => {
  const places = machine(t, {
    'etc/modprobe.d/b.conf': 'etc b',
    'run/modprobe.d/b.conf': 'run b',
    'run/modprobe.d/a.conf': 'run a',
    'run/modprobe.d/c.txt': 'no',
  });
  t.same(
    configTexts(places.config, 'modprobe.d').map(({ text }) => text),
    ['run a', 'etc b'],
  );
  t.same(configTexts(places.config, 'modules-load.d'), []);
});

t.test('readIndex() needs modules.dep, and nothing else', async (t) => {
  const places = machine(t, { 'lib/modules.dep': 'x.ko:\n' });
  const { words } = splitKernelWords('x.y=1');
  t.match(resolve(readIndex(places, words), 'x').loads, [{ options: 'y=1' }]);
  rmSync(join(places.modules, 'modules.dep'));
  t.throws(() => readIndex(places, []), { code: 'ENOENT' });
});

t.test('what is not there says nothing', async (t) => {
  const places = { ...placesOf('1.2.3'), devices: '/nonexistent', loaded: '/nonexistent' };
  t.equal(places.modules, '/lib/modules/1.2.3');
  t.same(modaliases(places), []);
  t.equal(loadedModules(places).size, 0);
});

t.test('announce() writes to every device', async (t) => {
  const places = machine(t, { 'sys/1/uevent': '', 'sys/1/2/uevent': '', 'sys/1/other': '' });
  t.equal(announce(places), 0);
  for (const file of ['1/uevent', '1/2/uevent']) {
    t.equal(readFileSync(join(places.devices, file), 'utf8'), 'add');
  }
  t.equal(readFileSync(join(places.devices, '1/other'), 'utf8'), '');
});

t.test('svmod says how it is used', async (t) => {
  const program =
    'process.exitCode = await (await import("./src/svmod.ts")).main(process.argv.slice(2))';
  const file = join(
    t.testdir({ 'run.mjs': program.replace('./src', join(process.cwd(), 'src')) }),
    'run.mjs',
  );
  for (const args of [[], ['--nosuch'], ['--list']]) {
    const { exitCode, stderr, stdout } = await execaNode(file, args, { reject: false });
    t.equal(exitCode, 2, args.join());
    t.match(stderr, /Usage: svmod/);
    t.equal(stdout, '');
  }
});
