/**
 * The machine code that makes a child, which makes the system calls of a list, and the numbers that
 * these have. The list is laid out by child.ts.
 */
import type { ChildCallName } from './signatures.ts';

/** The number of a system call on this CPU. */
export function numberOf(call: ChildCallName): number {
  return NUMBERS[call][CPU];
}

/** The call with that number; null: none of a child's. */
export function callOf(number: number): ChildCallName | null {
  return NAMES.get(number) ?? null;
}

/**
 * A function that is given the address of a list. With all signals blocked it makes a child, and
 * returns 0 when that has become another program or has ended. The child makes the calls, writes
 * to the list only to tell of a failure, and has a stack of its own.
 * @throws {TypeError} on another CPU.
 */
export function childCode(): Uint8Array {
  switch (process.arch) {
    case 'x64':
      return Uint8Array.from(X64);
    case 'arm64':
      return new Uint8Array(Uint32Array.from(ARM64).buffer);
    default:
      throw new TypeError(`There is no code of a child for ${process.arch}`);
  }
}

/** asm/unistd_64.h of x86, asm-generic/unistd.h of arm64. */
const NUMBERS: Readonly<Record<ChildCallName, readonly [x64: number, arm64: number]>> = {
  chdir: [80, 49],
  clone: [56, 220],
  close: [3, 57],
  close_range: [436, 436],
  dup3: [292, 24],
  execve: [59, 221],
  fcntl: [72, 25],
  open: [257, 56], // openat
  prlimit: [302, 261],
  pthread_sigmask: [14, 135], // rt_sigprocmask
  setsid: [112, 157],
  sigaction: [13, 134], // rt_sigaction
  umask: [95, 166],
  unshare: [272, 97],
};
const CPU: 0 | 1 = process.arch === 'arm64' ? 1 : 0;
const NAMES: ReadonlyMap<number, ChildCallName> = new Map(
  Object.entries(NUMBERS).map(([name, numbers]) => [numbers[CPU], name as ChildCallName]),
);

/** Intel SDM vol. 2, System V ABI of x86-64: asm/unistd_64.h has the numbers. */
// biome-ignore format: an instruction a line
const X64: readonly number[] = [
  0x53, //                                    push rbx
  0x41, 0x54, //                              push r12
  0x49, 0x89, 0xfc, //                        mov r12, rdi
  0xb8, 0x0e, 0x00, 0x00, 0x00, //            mov eax, rt_sigprocmask
  0x31, 0xff, //                              xor edi, edi
  0x49, 0x8d, 0x74, 0x24, 0x20, //            lea rsi, [r12 + 32]
  0x49, 0x8d, 0x54, 0x24, 0x18, //            lea rdx, [r12 + 24]
  0x41, 0xba, 0x08, 0x00, 0x00, 0x00, //        mov r10d, 8
  0x0f, 0x05, //                              syscall
  0xb8, 0x38, 0x00, 0x00, 0x00, //            mov eax, clone
  0x49, 0x8b, 0x7c, 0x24, 0x28, //            mov rdi, [r12 + 40]
  0x49, 0x8b, 0x74, 0x24, 0x30, //            mov rsi, [r12 + 48]
  0x31, 0xd2, //                              xor edx, edx
  0x45, 0x31, 0xd2, //                        xor r10d, r10d
  0x45, 0x31, 0xc0, //                        xor r8d, r8d
  0x0f, 0x05, //                              syscall
  0x48, 0x85, 0xc0, //                        test rax, rax
  0x74, 0x24, //                              je child
  0x49, 0x89, 0x44, 0x24, 0x10, //            mov [r12 + 16], rax
  0xb8, 0x0e, 0x00, 0x00, 0x00, //            mov eax, rt_sigprocmask
  0xbf, 0x02, 0x00, 0x00, 0x00, //            mov edi, 2
  0x49, 0x8d, 0x74, 0x24, 0x18, //            lea rsi, [r12 + 24]
  0x31, 0xd2, //                              xor edx, edx
  0x41, 0xba, 0x08, 0x00, 0x00, 0x00, //        mov r10d, 8
  0x0f, 0x05, //                              syscall
  0x41, 0x5c, //                              pop r12
  0x5b, //                                    pop rbx
  0x31, 0xc0, //                              xor eax, eax
  0xc3, //                                    ret
  0x49, 0x8d, 0x5c, 0x24, 0x38, //     child: lea rbx, [r12 + 56]
  0x8b, 0x03, //                       loop:  mov eax, [rbx]
  0x48, 0x8b, 0x7b, 0x08, //                  mov rdi, [rbx + 8]
  0x48, 0x8b, 0x73, 0x10, //                  mov rsi, [rbx + 16]
  0x48, 0x8b, 0x53, 0x18, //                  mov rdx, [rbx + 24]
  0x4c, 0x8b, 0x53, 0x20, //                  mov r10, [rbx + 32]
  0x0f, 0x05, //                              syscall
  0x48, 0x83, 0xc3, 0x28, //                  add rbx, 40
  0x48, 0x85, 0xc0, //                        test rax, rax
  0x79, 0xe3, //                              jns loop
  0x80, 0x7b, 0xdc, 0x00, //                  cmp byte ptr [rbx - 36], 0
  0x75, 0xdd, //                              jne loop
  0x49, 0x89, 0x04, 0x24, //                  mov [r12], rax
  0x49, 0x89, 0x5c, 0x24, 0x08, //            mov [r12 + 8], rbx
  0xbf, 0x7f, 0x00, 0x00, 0x00, //            mov edi, 127
  0xb8, 0xe7, 0x00, 0x00, 0x00, //            mov eax, exit_group
  0x0f, 0x05, //                              syscall
];

/** Arm ARM C6, AAPCS64: asm-generic/unistd.h has the numbers. */
// biome-ignore format: an instruction a line
const ARM64: readonly number[] = [
  0xa9bf53f3, //        stp x19, x20, [sp, #-16]!
  0xaa0003f3, //        mov x19, x0
  0xd28010e8, //        mov x8, rt_sigprocmask
  0xd2800000, //        mov x0, #0
  0x91008261, //        add x1, x19, #32
  0x91006262, //        add x2, x19, #24
  0xd2800103, //        mov x3, #8
  0xd4000001, //        svc #0
  0xd2801b88, //        mov x8, clone
  0xa9428660, //        ldp x0, x1, [x19, #40]
  0xd2800002, //        mov x2, #0
  0xd2800003, //        mov x3, #0
  0xd2800004, //        mov x4, #0
  0xd4000001, //        svc #0
  0xb4000160, //        cbz x0, child
  0xf9000a60, //        str x0, [x19, #16]
  0xd28010e8, //        mov x8, rt_sigprocmask
  0xd2800040, //        mov x0, #2
  0x91006261, //        add x1, x19, #24
  0xd2800002, //        mov x2, #0
  0xd2800103, //        mov x3, #8
  0xd4000001, //        svc #0
  0xa8c153f3, //        ldp x19, x20, [sp], #16
  0xd2800000, //        mov x0, #0
  0xd65f03c0, //        ret
  0x9100e274, // child: add x20, x19, #56
  0xb9400288, // loop:  ldr w8, [x20]
  0xb9400695, //        ldr w21, [x20, #4]
  0xa9408680, //        ldp x0, x1, [x20, #8]
  0xa9418e82, //        ldp x2, x3, [x20, #24]
  0xd4000001, //        svc #0
  0x9100a294, //        add x20, x20, #40
  0xb6ffff40, //        tbz x0, #63, loop
  0x35ffff35, //        cbnz w21, loop
  0xa9005260, //        stp x0, x20, [x19]
  0xd2800fe0, //        mov x0, #127
  0xd2800bc8, //        mov x8, exit_group
  0xd4000001, //        svc #0
];
