/**
 * What PID 1 takes from the file that svroot leaves for it: services of the root beside its own,
 * never instead of them, and never a reason to lose what it knows.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { loggerSpec } from '../../src/core/builtins.ts';
import { encodeRootScan } from '../../src/core/root-definitions.ts';
import { rootPlaces } from '../../src/core/root-places.ts';
import type { DirectoryTexts } from '../../src/core/spec.ts';
import { type Definitions, LOGGER, readDefinitions } from '../../src/supervisor/definitions.ts';
import { pathsIn } from '../../src/supervisor/paths.ts';
import { scanLimits } from '../../src/supervisor/scan.ts';
import { writeDefinitions } from './definitions.ts';

/** Definitions of the image and those of a root, as PID 1 finds them. */
class Image {
  readonly #directory: string;
  readonly file: string;

  constructor(t: Test) {
    this.#directory = mkdtempSync(join(tmpdir(), 'svinit-root-'));
    t.teardown(() => rmSync(this.#directory, { recursive: true }));
    this.file = rootPlaces(this.#directory).definitions;
    mkdirSync(dirname(this.file), { recursive: true });
    const run = '#!/bin/sh\n';
    writeDefinitions(join(this.#directory, 'own'), { web: { run }, broken: { type: 'odd' } });
  }

  read(): Definitions {
    return readDefinitions({
      paths: pathsIn(this.#directory),
      roots: [{ path: join(this.#directory, 'own'), dialect: 'svinit' }],
      limits: scanLimits(process.getuid?.() ?? 0),
      builtins: [loggerSpec(LOGGER, '/usr/bin/svinit', {})],
      main: null,
      console: null,
      consoles: [],
      self: { path: '/usr/bin/svinit', program: [], given: [], env: [] },
    });
  }
}

function texts(name: string): DirectoryTexts {
  const directory = `/etc/svinit/services/${name}`;
  const files = new Map([['run', { text: '#!/bin/sh', executable: true }]]);
  return { name, directory, dialect: 'svinit', files };
}

const reasonOf = (image: Image): string | undefined =>
  image.read().problems.find(({ name }) => name === image.file)?.reason;

const named = ({ specs }: Definitions) => new Map(specs.map((spec) => [spec.name, spec]));

t.test('services of the root stand beside those of the image', async (t) => {
  const image = new Image(t);
  const names = ['cron', 'web', 'broken', LOGGER];
  writeFileSync(image.file, encodeRootScan({ found: names.map(texts), problems: [] }));
  const { notices, ...rest } = image.read();
  const specs = named({ notices, ...rest });
  t.match(specs.get('cron'), { root: 'os', needs: ['root'], cwd: '/etc/svinit/services/cron' });
  t.match(specs.get('cron')?.start, { path: '/etc/svinit/services/cron/run' });
  t.equal(specs.get('web')?.root, undefined, 'the image has its own');
  t.equal(specs.get(LOGGER)?.root, undefined, 'and its logger');
  t.notOk(specs.has('broken'), 'what is broken there is not mended by another');
  t.equal(notices.filter((text) => text.includes('has one too')).length, 3, 'each is told');
});

t.test('without a file there is nothing, and nothing is wrong', async (t) => {
  const { specs, problems } = new Image(t).read();
  t.same([...named({ specs, problems, notices: [] }).keys()], [LOGGER, 'web']);
  t.same([...new Set(problems.map(({ name }) => name))], ['broken']);
});

t.test('a file that cannot be read is a problem of its own', async (t) => {
  const image = new Image(t);
  for (const [text, reason] of [
    ['no JSON', /it is not JSON/],
    ['{}', /it is not what svroot writes/],
    [' '.repeat(5 * 2 ** 20), /it is 5242880 bytes long/],
  ] as const) {
    writeFileSync(image.file, text);
    t.match(reasonOf(image), reason);
  }
  rmSync(image.file);
  mkdirSync(image.file);
  t.match(reasonOf(image), /Cannot read .*EISDIR/);
});
