/**
 * One image of svinit hands over to the next: when the state is whole, what goes along, and the
 * answer to whoever asked for it.
 */
import { encodeCheckpoint, interrupted } from '../core/checkpoint.ts';
import { EXIT, encodeResult, refusal } from '../core/protocol.ts';
import type { Spec } from '../core/spec.ts';
import { recognise, type Survivor } from '../core/survivors.ts';
import type { Asker, System } from '../core/system.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Control } from './control.ts';
import type { Fifos } from './fifos.ts';
import type { Journal } from './journal.ts';
import { letGo, wordsOf } from './let-go.ts';
import { deathWords } from './lifeline.ts';
import type { Loop } from './loop.ts';
import { type Legacy, replaceSelf, type Self } from './reexec.ts';
import type { Spawner } from './spawn.ts';

export type HandoverPorts = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly self: Self;
  readonly journal: Journal;
  readonly loop: Loop;
  readonly fifos: Fifos;
  readonly spawner: Spawner;
  readonly control: Control;
  /** No alarm while the image is replaced: starting may take long on a slow machine. */
  readonly release: () => void;
  readonly hold: () => void;
  /** What runs and belongs to one of these. */
  readonly survey: (specs: readonly Spec[]) => readonly Survivor[];
  readonly say: (line: string) => void;
};

/** How the image before ended, when it was not by a hand-over: see lifeline.ts. */
export type Death = { readonly signal: number; readonly revivals: readonly number[] };

export class Handover {
  readonly #ports: HandoverPorts;

  constructor(ports: HandoverPorts) {
    this.#ports = ports;
  }

  /** Replaces this image as soon as the state is whole; if that fails, this image goes on. */
  begin(asker: Asker | null): void {
    const { loop, journal, control, hold } = this.#ports;
    // With a spawn under way the state is not whole: its pid is known in a moment.
    if (!loop.isQuiet()) {
      setImmediate(() => this.begin(asker));
      return;
    }
    loop.stop();
    try {
      this.#replace(asker);
    } catch (error) {
      const reason = wordsOf(error);
      journal.error(`Re-exec failed, the present image goes on: ${reason}`);
      hold();
      loop.resume();
      if (asker !== null) control.refuse(asker, refusal(EXIT.failed, reason));
    }
  }

  /** The new image's first acts: it says that it is there, and answers who asked for it. */
  complete(legacy: Legacy, death: Death | null): void {
    const { kernel, system, journal } = this.#ports;
    if (death !== null) this.#recover(death);
    journal.info(`image ${system.image} goes on`, { pids: system.pids.size });
    const { asker } = legacy;
    if (asker === null) return;
    const line = encodeResult(asker.id, { image: system.image });
    try {
      kernel.write(asker.fd, new TextEncoder().encode(line));
    } finally {
      letGo(kernel, asker.fd);
    }
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
    const { system, fifos, spawner, control } = this.#ports;
    return {
      system: encodeCheckpoint(system),
      turns: [],
      fifos: [...fifos.held()],
      notifications: [...spawner.notifications()],
      listeners: control.listeners(),
      asker: null,
      revivals,
    };
  }

  /** The ledger may be some moments behind the world: the world is asked. */
  #recover({ signal }: Death): void {
    const { system, journal, loop, survey, say } = this.#ports;
    const text = `svinit died of ${deathWords(signal)} and goes on as image ${system.image}`;
    journal.error(text, { signal });
    say(text);
    const specs = [...system.units.values()].map(({ spec }) => spec);
    const events = recognise(system, survey(specs));
    // What was on its way down had stopped deciding: it is decided again.
    if (system.halt?.released === true) system.halt = { ...system.halt, released: false };
    for (const event of [...events, ...interrupted(system)]) loop.post(event);
  }

  #replace(asker: Asker | null): never {
    const { kernel, self, control, release } = this.#ports;
    const client = asker === null ? null : control.descriptorOf(asker.client);
    const waiting = asker === null || client === null ? null : { fd: client, id: asker.id };
    release();
    // A hand-over that was wished for is no death: what was counted is forgiven.
    return replaceSelf(kernel, self, { ...this.legacy([]), asker: waiting });
  }
}
