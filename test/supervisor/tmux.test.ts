/**
 * `svctl attach` and `svctl shell` in tmux: a terminal that others made, with its own ideas of
 * sizes, keys and screens.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Instance, start, until } from './instance.ts';

const missing = spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed';
const SHELLS = readFileSync('services/shells/service.json', 'utf8');

/** Draws a frame around its window, anew whenever that changes or a key is pressed. */
const FRAME = `#!/bin/sh
draw() {
  set -- $(stty size)
  printf '\\033[2J\\033[1;1H+\\033[1;%sH+\\033[%s;1H+\\033[%s;%sH+' $2 $1 $1 $2
  printf '\\033[2;3H%s lines, %s columns, %s' $1 $2 "$key"
}
trap draw WINCH
trap 'key=interrupted; draw' INT
stty -echo
key=nothing
draw
while :; do
  read -r -s -n 1 new && key=$new && draw
done
`;

class Tmux {
  readonly #server: string;

  constructor(runtime: string) {
    this.#server = `svinit-${process.pid}-${runtime}`;
  }

  run(...args: readonly string[]): string {
    const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm', LC_ALL: 'C.UTF-8' };
    const command = ['-L', this.#server, '-f', '/dev/null', ...args];
    return execFileSync('tmux', command, { encoding: 'utf8', env });
  }

  /** What the pane shows, without what is blank at its ends. */
  screen(): string {
    return this.run('capture-pane', '-p').replace(/[ \n]+$/, '');
  }

  keys(...keys: readonly string[]): void {
    this.run('send-keys', ...keys);
  }

  async shows(pattern: RegExp): Promise<string> {
    return until(`the pane shows ${pattern}`, async () =>
      pattern.test(this.screen()) ? this.screen() : null,
    );
  }

  kill(): void {
    spawnSync('tmux', ['-L', this.#server, 'kill-server']);
  }
}

/** A pane of 80 columns and 24 rows with a shell inside of the instance. */
function pane(t: { teardown(end: () => void): void }, runtime: string, svinit: Instance): Tmux {
  const tmux = new Tmux(runtime);
  t.teardown(() => tmux.kill());
  const namespaces = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup'];
  const enter = ['nsenter', '-t', String(svinit.pid), ...namespaces, '--'];
  const shell = ['env', '-i', 'PATH=/usr/sbin:/usr/bin', 'TERM=screen', 'PS1=host# ', 'sh'];
  tmux.run('new-session', '-d', '-x', '80', '-y', '24', [...enter, ...shell].join(' '));
  return tmux;
}

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: attach and shell in tmux`, { skip: missing }, async (t) => {
    const services = {
      frame: { run: FRAME, 'service.json': '{ "tty": "pty" }' },
      shells: { 'service.json': SHELLS, type: 'longrun\n' },
    };
    const svinit = await start(t, { runtime, services });
    const tmux = pane(t, runtime, svinit);
    await tmux.shows(/host# $|host#$/);

    tmux.keys('svctl attach frame', 'Enter');
    const drawn = await tmux.shows(/24 lines, 80 columns/);
    t.match(drawn.split('\n'), [/^\+ {78}\+$/, /24 lines/]);
    t.match(drawn.split('\n')[23], /^\+ {78}\+$/, 'to the last corner');
    tmux.run('resize-window', '-x', '60', '-y', '12');
    t.match((await tmux.shows(/12 lines, 60 columns/)).split('\n')[11], /^\+ {58}\+$/);
    tmux.keys('x');
    await tmux.shows(/columns, x/);
    tmux.keys('C-c');
    await tmux.shows(/columns, interrupted/);
    t.match(await svinit.svctl('reexec'), { code: 0 });
    tmux.keys('y');
    await tmux.shows(/columns, y/);
    tmux.keys('C-]');
    await tmux.shows(/\[detached from frame\]\nhost#/);
    t.match(await svinit.service('frame'), { state: 'up', restarts: 0 });

    tmux.run('resize-window', '-x', '80', '-y', '24');
    tmux.keys('clear; svctl shell --name work', 'Enter');
    await tmux.shows(/session work; ctrl-\] leaves[\s\S]*~# ?$/);
    // tmux tells the pane of its new size a moment later.
    tmux.keys('until [ "$(stty size)" = "24 80" ]; do :; done; stty size; n=41', 'Enter');
    await tmux.shows(/^24 80$/m);
    tmux.keys('C-]');
    await tmux.shows(/svctl shell --name work comes back\]\nhost#/);
    t.match(await svinit.svctl('reexec'), { code: 0 });
    tmux.keys('clear; svctl shell --list', 'Enter');
    await tmux.shows(/^work +\d+ +0 +shell$/m);
    tmux.keys('clear; svctl shell --name work', 'Enter');
    await tmux.shows(/session work, the output so far[\s\S]*~# ?$/);
    tmux.keys('echo $((n+1)); exit 4', 'Enter');
    await tmux.shows(/^42$/m);
    tmux.keys('echo code $?', 'Enter');
    await tmux.shows(/^code 4$/m);
    tmux.keys('stty -a | grep -c " echo "; echo', 'Enter');
    await tmux.shows(/^1$/m);
  });
}
