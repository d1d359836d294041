/**
 * A line for everybody at a terminal: each gets it, and nobody who does not read holds the others.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openPty, releaseSlave } from '../../scripts/pty.ts';
import { wall } from '../../src/supervisor/wall.ts';

t.test('wall() writes to terminals, and to nothing else', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'svinit-wall-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  // Not devpts: nothing in here is a terminal.
  writeFileSync(join(folder, '0'), 'kept');
  symlinkSync(join(folder, '0'), join(folder, '1'));
  const pty = openPty();
  t.teardown(() => {
    releaseSlave(pty);
    pty.master.destroy();
  });
  const shown = new Promise<string>((resolve) => {
    pty.master.once('data', (bytes) => resolve(String(bytes)));
  });
  const said: string[] = [];
  const warned: string[] = [];
  wall(
    {
      say: (line) => said.push(line),
      warn: (text) => warned.push(text),
      terminals: () => [join(folder, 'gone'), pty.path],
    },
    'going down',
    folder,
  );
  t.match(await shown, /going down\r/);
  t.same(said, ['going down'], 'and the console');
  t.equal(readFileSync(join(folder, '0'), 'utf8'), 'kept', 'a file is no terminal');
  t.same(warned, [`Cannot write to ${join(folder, '1')}: ELOOP`]);
});

t.test('wall() waits for nobody who does not read', async (t) => {
  const pty = openPty();
  t.teardown(() => {
    releaseSlave(pty);
    pty.master.destroy();
  });
  pty.master.pause();
  const warned: string[] = [];
  const ports = { say: () => {}, warn: (text: string) => warned.push(text) };
  // More than a pseudo-terminal holds (N_TTY_BUF_SIZE, drivers/tty/n_tty.c: 4096).
  for (let line = 0; line < 300; line += 1) {
    wall({ ...ports, terminals: () => [pty.path] }, 'x'.repeat(500), '/nonexistent');
  }
  t.same(warned, []);
});
