/**
 * Brings an end upon itself, and says in its second life what it was. Started by
 * `sys-revive.tap.ts`; the first argument names the end, the second life gets the signal.
 */
import type { Fd } from '../../src/core/units.ts';
import { openSystem } from '../../src/sys/open.ts';

const kernel = openSystem();
const [script = '', how = '', died] = process.argv.slice(1);

const ENDS: Readonly<Record<string, () => void>> = {
  segv: () => kernel.kill(kernel.getpid(), 11),
  bus: () => kernel.kill(kernel.getpid(), 7),
  abort: () => kernel.kill(kernel.getpid(), 6),
  null: () => nullDereference(),
  loop: () => {
    kernel.putOffAlarm(300);
    for (;;);
  },
  blocked: () => {
    kernel.putOffAlarm(300);
    const [reader] = kernel.pipe(0);
    // Nobody ever writes, and this descriptor of the other end is ours: it waits for ever.
    kernel.read(reader, new Uint8Array(1));
  },
  heap: () => {
    const kept: string[] = [];
    for (let i = 0; ; i += 1) kept.push(`${i}`.repeat(1_000_000));
  },
};

if (died !== undefined) {
  kernel.putOffAlarm(0);
  console.log(JSON.stringify({ pid: kernel.getpid(), died, env: process.env['SECOND'] }));
  process.exit(0);
}

for (const fd of [0, 1, 2] as Fd[]) kernel.setCloexec(fd, false);
kernel.installRevival({
  // The second is tried when the first is not there.
  paths: ['/no/such/file', process.execPath],
  argvFor: (signal) => [process.execPath, ...process.execArgv, script, how, String(signal)],
  env: ['SECOND=life'],
  signals: [4, 5, 6, 7, 8, 11, 14, 31],
});
ENDS[how]?.();
// The handler takes over between two instructions of the kill above, or of this wait.
setInterval(() => {}, 1000);

/** Reads address 8 by FFI: the fault is in C code, below the runtime. */
function nullDereference(): void {
  if ('bun' in process.versions) {
    const ffi = process.getBuiltinModule('bun:ffi') as unknown as {
      read: { u8(pointer: number, offset: number): number };
      toArrayBuffer(pointer: number, offset: number, length: number): ArrayBuffer;
    };
    new Uint8Array(ffi.toArrayBuffer(8, 0, 8)).slice();
  } else {
    process.getBuiltinModule('node:ffi').getUint8(8n, 0);
  }
}
