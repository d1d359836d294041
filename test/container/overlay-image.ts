/**
 * An image as people make it for s6-overlay v3, with svinit as its /init: two scripts of
 * cont-init.d and one of cont-finish.d, a oneshot in execline, a longrun, a legacy service, and a
 * second user bundle in the newer place. Every one of them says what it finds in its environment.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Runtime } from '../../scripts/compile.ts';
import { buildImage, findEngine } from '../../scripts/container.ts';
import { OVERLAY_PROGRAMS } from '../../src/core/overlay-programs.ts';

/** Where Debian's package has the programs of execline, and those of s6 that are used. */
const EXECLINE = '/usr/lib/execline/bin';
const S6: readonly string[] = ['s6-log', 's6-setuidgid', 's6-svc', 's6-svstat'].map(
  (name) => `/usr/bin/${name}`,
);

/**
 * `bare` has no programs of s6-overlay, which svinit puts there when it starts; `baked` has those of
 * `svoverlay install`, for a root that cannot be written, and none of s6 either.
 */
export type OverlayKind = 'bare' | 'baked';

/** The name of a kind of image, for `start` of container.ts. */
export const overlayRuntime = (runtime: Runtime, kind: OverlayKind = 'bare'): string =>
  `${runtime}-overlay-${kind}`;

/** What of tap's `t` is needed to clean up after a test. */
type Test = { teardown(end: () => Promise<void>): void };

/** Why it cannot be made here, or null. */
export const overlayLacks: string | null = [EXECLINE, ...S6].every((path) => existsSync(path))
  ? null
  : 'execline and s6 are not installed';

/** Makes the image from that of `runtime`; it is gone after the test. */
export async function buildOverlayImage(
  t: Test,
  runtime: Runtime,
  kind: OverlayKind,
): Promise<void> {
  const engine = await findEngine();
  if (engine === null) return;
  const name = overlayRuntime(runtime, kind);
  const root = join('build', name);
  rmSync(root, { recursive: true, force: true });
  const tree = join(root, 'tree');
  for (const [path, text] of Object.entries(FILES)) put(join(tree, path), text);
  if (kind === 'bare') put(`${tree}/etc/fix-attrs.d/10-data`, '/data true abc,nobody 0640 0710\n');
  const programs = `${tree}/command`;
  const places = kind === 'baked' ? [programs, `${tree}/usr/bin`] : [];
  for (const place of places) {
    for (const [program, text] of OVERLAY_PROGRAMS) put(join(place, program), text);
  }
  cpSync(EXECLINE, programs, { recursive: true, dereference: true });
  const clients = kind === 'bare' ? S6 : [];
  for (const path of clients) copyFileSync(path, `${programs}/${path.split('/').at(-1)}`);
  for (const path of librariesOf([`${programs}/execlineb`, ...clients])) {
    const at = join(tree, path.startsWith('/usr') ? path : `/usr${path}`);
    mkdirSync(dirname(at), { recursive: true });
    copyFileSync(path, at);
  }
  copyFileSync(`build/${runtime}/root.tar`, `${root}/root.tar`);
  // Files alone, and none that is there already: an archive that has a path twice is refused.
  const list = execFileSync('tar', ['--list', `--file=${root}/root.tar`], { encoding: 'utf8' });
  const there = new Set(list.split('\n'));
  const files = readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !there.has(path) && lstatSync(join(tree, path)).isFile(),
  );
  const options = [`--file=${root}/root.tar`, '--owner=0', '--group=0', `--directory=${tree}`];
  execFileSync('tar', ['--append', ...options, ...files]);
  await buildImage(engine, name);
  rmSync(root, { recursive: true, force: true });
  t.teardown(async () => {
    await execa(engine.program, ['rmi', '--force', `localhost/svinit:${name}`], { reject: false });
  });
}

/** Says what it is, and what it finds of the environment. */
const say = (what: string): string => `echo "@ ${what} WHO=\${WHO-} PATH=$PATH" >>/record/said`;

const FILES: Readonly<Record<string, string>> = {
  'etc/cont-init.d/10-first': `#!/bin/sh\n${say('first')}\n`,
  'etc/cont-init.d/20-second': `#!/usr/bin/with-contenv sh
${say('second')}
test -z "$HANG" || sleep 1000
test -z "$BROKEN"
`,
  'data/below/file': '',
  'etc/cont-finish.d/10-last': `#!/command/with-contenv sh\n${say('last')}\n`,

  'etc/s6-overlay/s6-rc.d/prepare/type': 'oneshot\n',
  'etc/s6-overlay/s6-rc.d/prepare/dependencies.d/base': '',
  'etc/s6-overlay/s6-rc.d/prepare/up': `with-contenv
importas -i WHO WHO
redirfd -a 1 /record/said
if { test -n \${WHO} } # a comment
echo "@ prepare WHO=\${WHO}"
`,
  'etc/s6-overlay/s6-rc.d/prepare/down': 'redirfd -a 1 /record/said echo "@ unprepare"\n',

  'etc/s6-overlay/s6-rc.d/web/type': 'longrun\n',
  'etc/s6-overlay/s6-rc.d/web/dependencies.d/prepare': '',
  'etc/s6-overlay/s6-rc.d/web/notification-fd': '3\n',
  'etc/s6-overlay/s6-rc.d/web/run': `#!/command/with-contenv sh
${say('web')}
trap 'echo "@ stop web" >>/record/said; exit 0' TERM
if test "$FAIL" = web; then
  echo 3 >/run/s6-linux-init-container-results/exitcode
  exec /run/s6/basedir/bin/halt
fi
echo web was here
test "$FAIL" = mute || echo >&3
while :; do sleep 1000 & wait $!; done
`,
  'etc/s6-overlay/s6-rc.d/user/type': 'bundle\n',
  'etc/s6-overlay/s6-rc.d/user/contents.d/web': '',
  'etc/s6-overlay/s6-rc.d/user/contents.d/talking': '',

  'etc/s6-overlay/s6-rc.d/talk/type': 'longrun\n',
  'etc/s6-overlay/s6-rc.d/talk/producer-for': 'talk-log\n',
  'etc/s6-overlay/s6-rc.d/talk/run':
    '#!/command/execlineb -P\nforeground { echo talked } sleep 1000\n',
  'etc/s6-overlay/s6-rc.d/talk-log/type': 'longrun\n',
  'etc/s6-overlay/s6-rc.d/talk-log/consumer-for': 'talk\n',
  'etc/s6-overlay/s6-rc.d/talk-log/pipeline-name': 'talking\n',
  'etc/s6-overlay/s6-rc.d/talk-log/run': '#!/bin/sh\nexec logutil-service /record/log\n',

  'etc/s6-overlay/s6-rc.d/late/type': 'oneshot\n',
  'etc/s6-overlay/s6-rc.d/late/dependencies.d/legacy-services': '',
  'etc/s6-overlay/s6-rc.d/late/up': '/etc/s6-overlay/late\n',
  'etc/s6-overlay/late': `#!/bin/sh\n${say('late')}\n`,
  'etc/s6-overlay/user-bundles.d/user2/contents.d/late': '',
  'etc/s6-overlay/s6-rc.d/unwanted/type': 'longrun\n',
  'etc/s6-overlay/s6-rc.d/unwanted/run': `#!/bin/sh\n${say('unwanted')}\n`,

  'etc/services.d/old/run': `#!/bin/sh
${say('old')}
trap 'echo "@ stop old" >>/record/said; exit 0' TERM
while :; do sleep 1000 & wait $!; done
`,
};

/** Only what a first line makes a program is one, but for what s6-rc makes one itself. */
function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(path, text);
  chmodSync(path, text.startsWith('#!') && !path.endsWith('web/run') ? 0o775 : 0o664);
}

function librariesOf(programs: readonly string[]): readonly string[] {
  const output = execFileSync('ldd', [...programs], { encoding: 'utf8' });
  return [
    ...new Set([...output.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path ?? '')),
  ];
}
