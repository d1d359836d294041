/**
 * One image of svinit hands over to the next: when the state is whole, what goes along, and the
 * answer to whoever asked for it.
 */
import { statSync } from 'node:fs';
import { encodeCheckpoint, interrupted } from '../core/checkpoint.ts';
import { EXIT, refusal } from '../core/protocol.ts';
import type { Spec } from '../core/spec.ts';
import { recognise, type Survivor } from '../core/survivors.ts';
import type { Asker, System, SystemEvent } from '../core/system.ts';
import type { Kernel } from '../sys/kernel.ts';
import { SysError } from '../sys/libc.ts';
import type { Control } from './control.ts';
import type { Fifos } from './fifos.ts';
import type { Holdings } from './holdings.ts';
import type { Journal } from './journal.ts';
import { wordsOf } from './let-go.ts';
import { deathWords } from './lifeline.ts';
import type { Loop } from './loop.ts';
import type { NotifySocket } from './notify.ts';
import { type Legacy, OWN_FILE, programFile, replaceSelf, type Self } from './reexec.ts';
import type { Spawner } from './spawn.ts';
import type { Trial, Verdict } from './trial.ts';

export type HandoverPorts = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly self: Self;
  readonly journal: Journal;
  readonly loop: Loop;
  readonly fifos: Fifos;
  readonly spawner: Spawner;
  readonly control: Control;
  readonly notify: NotifySocket;
  readonly trial: Trial;
  readonly holdings: Holdings;
  /** No alarm while the image is replaced: starting may take long on a slow machine. */
  readonly release: () => void;
  readonly hold: () => void;
  /** What runs and belongs to one of these. */
  readonly survey: (specs: readonly Spec[]) => readonly Survivor[];
  readonly say: (line: string) => void;
};

/** How the image before ended, when it was not by a hand-over: see lifeline.ts. */
export type Death = { readonly signal: number; readonly revivals: readonly number[] };

const RESUMED: SystemEvent = { type: 'resumed' };

export class Handover {
  readonly #ports: HandoverPorts;
  /** Those who wait for the next image. */
  readonly #askers: Asker[] = [];
  #isDue = false;

  constructor(ports: HandoverPorts) {
    this.#ports = ports;
  }

  /**
   * Replaces this image: by `binary` when it passes its self-test, otherwise by the file it came
   * from. If that fails, this image goes on.
   */
  begin(asker: Asker | null, binary: string | null): void {
    const { trial, self } = this.#ports;
    const other = binary ?? this.#changedBinary();
    if (other === null) {
      return this.#replaceWhenQuiet(asker, { ...self, path: programFile(self.path) });
    }
    trial.begin(other, self, this.legacy([]), (verdict) => this.#tried(asker, verdict));
  }

  /** The new image's first acts: it says that it is there, and answers who asked for it. */
  complete(legacy: Legacy, death: Death | null): void {
    const { system, journal, control, loop } = this.#ports;
    const left = new Set(legacy.clients.filter((passed) => control.clients.adopt(passed)));
    const clients = new Set([...left].map(({ number }) => number));
    const events = death === null ? [] : this.#recover(death);
    for (const event of [RESUMED, ...events]) loop.post(event);
    for (const client of new Set([...system.jobs.values()].map(({ asker }) => asker.client))) {
      if (!clients.has(client)) loop.post({ type: 'hangup', client });
    }
    journal.info(`image ${system.image} goes on`, { pids: system.pids.size });
    const version = { image: system.image };
    for (const asker of legacy.askers) control.reply(asker, version);
    if (death !== null) for (const client of clients) this.#tellRevived(client);
  }

  /**
   * What runs already although this image knows of nothing: an image before it left a state that
   * cannot be used.
   */
  survivors(specs: readonly Spec[]): readonly Survivor[] {
    const { journal, say, survey } = this.#ports;
    const found = survey(specs);
    const text = `the state of the image before is lost: ${found.length} processes are taken over`;
    journal.error(text);
    say(`svinit: ${text}`);
    return found;
  }

  /** The whole state, for an image that need not be asked for an answer. */
  legacy(revivals: readonly number[]): Legacy {
    const { system, fifos, spawner, control, notify, holdings } = this.#ports;
    return {
      system: encodeCheckpoint(system),
      turns: [],
      fifos: [...fifos.held()],
      notifications: [...spawner.notifications()],
      listeners: [...control.listeners(), ...notify.listeners()],
      clients: control.clients.passed(false),
      held: holdings.held(),
      askers: [],
      revivals,
    };
  }

  /** The file this image came from, when another has taken its place. */
  #changedBinary(): string | null {
    const { path } = this.#ports.self;
    const file = statSync(path, { throwIfNoEntry: false });
    const own = statSync(OWN_FILE, { throwIfNoEntry: false });
    if (file === undefined || own === undefined) return null;
    return file.dev === own.dev && file.ino === own.ino ? null : path;
  }

  #tried(asker: Asker | null, verdict: Verdict): void {
    if (!verdict.ok) return this.#failed([asker], verdict.reason);
    this.#ports.journal.info(`svinit ${verdict.version} has passed its self-test`);
    this.#replaceWhenQuiet(asker, verdict.self, verdict.discard);
  }

  /** With a spawn under way the state is not whole: its pid is known in a moment. */
  #replaceWhenQuiet(asker: Asker | null, self: Self, discard: () => void = () => {}): void {
    if (asker !== null) this.#askers.push(asker);
    if (this.#isDue) return discard();
    const { loop } = this.#ports;
    this.#isDue = !loop.isQuiet();
    if (!this.#isDue) return this.#replace(self, discard);
    setImmediate(() => {
      this.#isDue = false;
      this.#replaceWhenQuiet(null, self, discard);
    });
  }

  #replace(self: Self, discard: () => void): void {
    const { kernel, loop, control, release, hold } = this.#ports;
    const askers = this.#askers.splice(0);
    loop.stop();
    try {
      insistOnProcesses(kernel);
      release();
      const clients = control.clients.passed(true);
      // A hand-over that was wished for is no death: what was counted is forgiven.
      replaceSelf(kernel, self, { ...this.legacy([]), clients, askers });
    } catch (error) {
      discard();
      hold();
      loop.resume();
      this.#failed(askers, `Re-exec failed, the present image goes on: ${wordsOf(error)}`);
    }
  }

  #failed(askers: readonly (Asker | null)[], reason: string): void {
    const { control, journal } = this.#ports;
    journal.error(reason);
    for (const asker of askers) {
      if (asker !== null) control.refuse(asker, refusal(EXIT.failed, reason));
    }
  }

  /**
   * What it asked for and the image before had not noted yet is lost: it is told which of its
   * requests are known, so that it can ask for the others again.
   */
  #tellRevived(client: number): void {
    const { system, control } = this.#ports;
    const jobs = [...system.jobs.values()].filter(({ asker }) => asker.client === client);
    const pending = jobs.map(({ asker }) => asker.id);
    control.notify(client, 'revived', { image: system.image, pending });
  }

  /** The ledger may be some moments behind the world: the world is asked. */
  #recover({ signal }: Death): SystemEvent[] {
    const { system, journal, survey, say } = this.#ports;
    const text = `svinit died of ${deathWords(signal)} and goes on as image ${system.image}`;
    journal.error(text, { signal });
    say(text);
    const specs = [...system.units.values()].map(({ spec }) => spec);
    const events = recognise(system, survey(specs), false);
    // What was on its way down had stopped deciding: it is decided again.
    if (system.halt?.released === true) system.halt = { ...system.halt, released: false };
    return [...events, ...interrupted(system)];
  }
}

/**
 * A fresh image makes threads before any code of ours runs, and ends when it cannot: where nobody
 * can be started at all, the present one stays.
 * @throws {SysError} of clone: `EAGAIN`, `ENOMEM`.
 */
function insistOnProcesses(kernel: Kernel): void {
  const nobody = { argv: ['nobody'], env: [], cwd: null, files: [], session: false, nofile: null };
  try {
    kernel.spawn({ path: NOWHERE, ...nobody });
  } catch (error) {
    const code = error instanceof SysError ? error.code : null;
    if (code === 'EAGAIN' || code === 'ENOMEM') throw error;
  }
}

/** Its exec fails, but a process was made for it. */
const NOWHERE = '/proc/self/nowhere';
