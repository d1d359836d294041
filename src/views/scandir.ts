/**
 * The scan directory as a whole: `.s6-svscan/` with the FIFO that s6-svscanctl(8) writes into, and
 * the lock that keeps a second s6-svscan out.
 */
import { join } from 'node:path';
import { type ScanAct, scanActs } from '../core/control-letters.ts';
import type { Fd } from '../core/units.ts';
import { ControlFifo } from './control.ts';
import { lockFile, makeDirectory } from './files.ts';
import type { Answered } from './link.ts';
import type { Ground } from './service.ts';

export class Scandir {
  readonly #ground: Ground;
  readonly #lock: Fd;
  readonly #control: ControlFifo;

  /** @throws {Error} with a `code`, when it cannot be made or another s6-svscan is there. */
  constructor(ground: Ground) {
    const { kernel, loop } = ground;
    const path = join(ground.s6, '.s6-svscan');
    this.#ground = ground;
    makeDirectory(path, 0o700);
    this.#lock = lockFile(kernel, join(path, 'lock'));
    this.#control = new ControlFifo(kernel, loop, join(path, 'control'), (letter, done) => {
      const [act] = scanActs(letter);
      if (act === undefined) return done();
      this.#act(act, (refused) => {
        if (refused !== null) ground.say(`Cannot do '${letter}' of s6-svscan: ${refused}`);
        done();
      });
    });
  }

  close(): void {
    this.#control.close();
    this.#ground.kernel.close(this.#lock);
  }

  #act(act: ScanAct, done: Answered): void {
    switch (act) {
      case 'scan':
        return this.#ground.ask('scan', { prune: false }, done);
      case 'prune':
        return this.#ground.ask('scan', { prune: true }, done);
      case 'end':
        return this.#ground.ask('poweroff', {}, done);
      case 'refuse':
        return done('svinit does not become another program');
    }
  }
}
