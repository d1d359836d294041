/**
 * The least init a runtime can be: starts COUNT programs, starts again what ends, takes orphans,
 * and does what one socket asks. HOW says what is done for each service beside its start:
 *
 *   bare  nothing
 *   full  a FIFO for what it prints, which stays open, and a pipe on which it says that it is ready
 *   N     the pipe; N services at a time, the next when all of these have said so
 */
import { constants, mkdirSync } from 'node:fs';
import type { Fd, Pid } from '../../src/core/units.ts';
import type { Kernel } from '../../src/sys/kernel.ts';
import { openSystem } from '../../src/sys/open.ts';
import type { FileAction } from '../../src/sys/spawn.ts';

/** sys/epoll.h. */
export const EPOLLIN = 1;

export const SOCKET = '/bench/limit';

const FIFOS = '/run/fifos';
/** The logger comes when all services are up: what it takes to start is not theirs. */
const LOGGER_AFTER_MS = 400;
/** Both then give back what only the start needed, as svinit and svlog do. */
export const GIVE_BACK_AFTER_MS = 300;

const BATCH = 64;
const SIGTERM = 15;

const STDIO: readonly FileAction[] = [0, 1, 2].map((fd) => ({ fd, dup: fd as Fd }));

export function startAll(
  count: number,
  program: string,
  how: string,
  logger: readonly string[],
): void {
  const init = new LimitInit(openSystem(), program);
  process.on('SIGCHLD', () => init.reap());
  process.on('SIGIO', () => init.sweep());
  if (how === 'full') mkdirSync(FIFOS);
  if (how === 'bare' || how === 'full') {
    for (let i = 0; i < count; i += 1) init.start(how === 'full', how === 'full' ? i : null);
  } else init.wave(count, Number(how));
  setTimeout(() => {
    init.start(false, null, logger);
    init.listen();
    setTimeout(() => init.giveBack(), GIVE_BACK_AFTER_MS);
  }, LOGGER_AFTER_MS);
}

class LimitInit {
  readonly #kernel: Kernel;
  readonly #program: string;
  readonly #services = new Set<Pid>();
  readonly #held: Fd[] = [];
  #epoll: Fd | null = null;
  #isDue = false;
  #isOver = false;
  #left = 0;
  #perWave = 0;
  #unready = 0;

  constructor(kernel: Kernel, program: string) {
    this.#kernel = kernel;
    this.#program = program;
  }

  wave(left: number, perWave: number): void {
    this.#left = left;
    this.#perWave = perWave;
    this.#next();
  }

  start(hears: boolean, fifo: number | null, argv: readonly string[] | null = null): void {
    const kernel = this.#kernel;
    const files = fifo === null ? [...STDIO] : this.#logged(`${FIFOS}/${fifo}`);
    const pipe = hears ? kernel.pipe(0) : null;
    if (pipe !== null) files.push({ fd: 3, dup: pipe[1] });
    const path = argv?.[0] ?? this.#program;
    const order = { path, argv: argv ?? [path], env: [], cwd: null, files };
    const pid = kernel.spawn({ ...order, session: true, nofile: null });
    if (argv === null) this.#services.add(pid);
    if (pipe === null) return;
    kernel.close(pipe[1]);
    this.#hear(pipe[0]);
  }

  giveBack(): void {
    this.#kernel.giveBack();
  }

  reap(): void {
    for (let ended = this.#kernel.waitAny(); ended !== null; ended = this.#kernel.waitAny()) {
      const isService = this.#services.delete(ended.pid);
      if (isService && !this.#isOver) this.start(false, null);
    }
  }

  sweep(): void {
    if (this.#epoll === null) return;
    let ready = BATCH;
    while (ready === BATCH) {
      const found = this.#kernel.epollWait(this.#epoll, 0, BATCH);
      for (const { fd } of found) {
        if (this.#kernel.read(fd, buffer) === null) continue;
        this.#kernel.close(fd);
        this.#unready -= 1;
      }
      ready = found.length;
    }
    if (this.#unready === 0) this.#next();
  }

  /** One word a line, and a line for an answer. */
  listen(): void {
    const { createServer } = process.getBuiltinModule('node:net');
    const server = createServer((socket) => {
      socket.setEncoding('utf8');
      socket.on('error', () => socket.destroy());
      socket.on('data', (text: string) => {
        this.#obey(text);
        socket.write('n0000 up\n');
      });
    });
    server.listen({ fd: this.#kernel.listenUnix(SOCKET, 0o600, 128) });
  }

  #obey(word: string): void {
    if (word.includes('stop')) {
      this.#isOver = true;
      for (const pid of this.#services) this.#kernel.kill(pid, SIGTERM);
    } else if (word.includes('restart')) {
      const [pid] = this.#services;
      if (pid !== undefined) this.#kernel.kill(pid, SIGTERM);
    }
  }

  #next(): void {
    const count = Math.min(this.#left, this.#perWave);
    this.#left -= count;
    for (let i = 0; i < count; i += 1) this.start(true, null);
  }

  #logged(path: string): FileAction[] {
    this.#kernel.mkfifo(path, 0o600);
    const fd = this.#kernel.open(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#kernel.setCloexec(fd, false);
    this.#held.push(fd);
    return [
      { fd: 0, open: '/dev/null', flags: constants.O_RDONLY, mode: 0 },
      { fd: 1, open: path, flags: constants.O_WRONLY, mode: 0 },
      { fd: 2, open: path, flags: constants.O_WRONLY, mode: 0 },
    ];
  }

  #hear(fd: Fd): void {
    this.#epoll ??= this.#kernel.epollCreate();
    this.#kernel.setAsync(fd, this.#kernel.getpid());
    this.#kernel.epollAdd(this.#epoll, fd, EPOLLIN);
    this.#unready += 1;
    this.#lookSoon();
  }

  /** What came before the signal was asked for raised none. */
  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.sweep();
    });
  }
}

const buffer = new Uint8Array(256);
