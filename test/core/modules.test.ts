/**
 * Which modules are loaded for a name, and in which order. That kmod decides the same of a whole
 * kernel is in test/image/modules.test.ts.
 */
import t from 'tap';
import { type ModuleTexts, moduleIndex, resolve } from '../../src/core/modules.ts';
import { parseModulesConfig } from '../../src/core/modules-config.ts';
import {
  parseAliases,
  parseBuiltin,
  parseBuiltinAliases,
  parseDep,
  parseSoftdeps,
} from '../../src/core/modules-text.ts';

const TEXTS: ModuleTexts = {
  files: parseDep(`kernel/scsi/scsi-common.ko:
kernel/scsi/scsi_mod.ko: kernel/scsi/scsi-common.ko
kernel/scsi/virtio_scsi.ko: kernel/virtio/virtio.ko kernel/virtio/virtio_ring.ko \
kernel/scsi/scsi_mod.ko kernel/scsi/scsi-common.ko
kernel/virtio/virtio.ko: kernel/virtio/virtio_ring.ko
kernel/virtio/virtio_ring.ko:
/elsewhere/rescue.ko.xz:
kernel/fs/fs.ko:
kernel/fs/pre.ko: kernel/fs/below.ko
kernel/fs/below.ko:
kernel/fs/post.ko:
kernel/round.ko: kernel/about.ko
kernel/about.ko: kernel/round.ko
not a line of the file
`),
  builtin: parseBuiltin('kernel/fs/ext4/ext4.ko\nkernel/crypto/crc32c-generic.ko\n'),
  aliases: [
    ...parseAliases(`# Aliases extracted from modules themselves.
alias virtio:d00000008v* virtio_scsi
alias virtio:d0000000[0-9]v* rescue
alias fs-fs fs
alias ext4
`),
    ...parseBuiltinAliases('ext4.alias=fs-ext4\0ext4.license=GPL\0ext4.alias=ext3\0'),
  ],
  softdeps: parseSoftdeps('softdep fs pre: pre nosuch post: post fs\nsoftdep fs pre: rescue\n'),
};

function indexWith(text: string) {
  return moduleIndex(TEXTS, parseModulesConfig([{ file: 'x.conf', text }]));
}

function loads(name: string, text = ''): readonly string[] {
  return resolve(indexWith(text), name).loads.map(({ module }) => module);
}

const VIRTIO_SCSI = ['scsi_common', 'scsi_mod', 'virtio_ring', 'virtio', 'virtio_scsi'];
const DEVICE = 'virtio:d00000008v00001AF4';

t.test('needs come first, each once', async (t) => {
  t.same(loads('virtio_scsi'), VIRTIO_SCSI);
  t.same(loads('virtio-scsi'), VIRTIO_SCSI, '- is _');
  t.same(loads('round'), ['about', 'round'], 'modules that need each other come to an end');
  const [load] = resolve(indexWith(''), 'scsi_common').loads;
  t.same(load, {
    module: 'scsi_common',
    path: 'kernel/scsi/scsi-common.ko',
    options: '',
    soft: false,
  });
});

t.test('an alias stands for all modules that say so', async (t) => {
  t.same(loads(DEVICE), [...VIRTIO_SCSI, 'rescue']);
  t.same(loads('fs_fs', 'softdep fs'), ['fs']);
});

t.test('soft dependencies are loaded around a module, where they exist', async (t) => {
  const { loads } = resolve(indexWith(''), 'fs');
  t.same(
    loads.map(({ module, soft }) => [module, soft]),
    [
      ['below', true],
      ['pre', true],
      ['fs', false],
      ['post', true],
    ],
  );
  const ours = resolve(indexWith('softdep fs pre: rescue'), 'fs');
  t.same(
    ours.loads.map(({ module }) => module),
    ['rescue', 'fs'],
    'what a person says replaces it',
  );
});

t.test('the blacklist is for aliases alone', async (t) => {
  const text = 'blacklist virtio-scsi\nblacklist scsi_mod\n';
  t.same(loads(DEVICE, text), ['rescue']);
  t.same(loads('virtio_scsi', text), VIRTIO_SCSI, 'not for names, and not for needs');
  t.match(resolve(indexWith(text), DEVICE), {
    known: true,
    skipped: [{ module: 'virtio_scsi', why: 'blacklisted' }],
  });
});

t.test('a module with an install command is not loaded', async (t) => {
  const index = indexWith('install scsi_* /bin/false\ninstall fs\n');
  t.match(resolve(index, 'scsi_mod'), {
    loads: [],
    skipped: [{ module: 'scsi_mod', why: 'instead of it: /bin/false' }],
    known: true,
  });
});

t.test('a person has the first word', async (t) => {
  t.same(loads('rescue', 'alias res* scsi_common\n'), ['scsi_common']);
  t.same(loads('disk', 'alias disk virtio-ring\n'), ['virtio_ring']);
  t.notOk(resolve(indexWith('alias disk off\n'), 'disk').known, 'an alias for nothing');
});

t.test('options are handed to the module, by its name and the one it was called by', async (t) => {
  const text = 'options virtio_scsi a=1 b="x  y"\noptions disk c\noptions virtio-scsi d\n';
  const { loads } = resolve(indexWith(`${text}alias disk virtio_scsi\n`), 'disk');
  t.equal(loads.at(-1)?.options, 'a=1 b="x y" c d');
  t.equal(resolve(indexWith(text), 'virtio_scsi').loads.at(-1)?.options, 'a=1 b="x y" d');
});

t.test('what is part of the kernel is known and not loaded', async (t) => {
  const nothing = { loads: [], skipped: [], known: true };
  for (const name of ['ext4', 'fs-ext4', 'ext3', 'crc32c_generic']) {
    t.same(resolve(indexWith(''), name), nothing, name);
  }
});

t.test('what nobody knows is nothing to load', async (t) => {
  for (const name of ['nosuch', 'virtio:d', '', 'constructor', '__proto__', '*']) {
    t.same(resolve(indexWith(''), name), { loads: [], skipped: [], known: false }, name);
  }
});
