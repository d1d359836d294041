/**
 * Cuts from a 64-bit ELF executable what only a debugger reads (elf(5)).
 *
 * What runs is described by the program headers; the section headers, the symbol table and the
 * debugging sections come after it in the file. Node's own build carries 33 MB of them. Knows
 * nothing of relocatable objects and of files whose sections stand in another order: those it hands
 * back whole.
 */

/** Offsets in the ELF header: e_phoff, e_shoff, e_phnum, e_shnum, e_shstrndx. */
const HEADER = { phoff: 0x20, shoff: 0x28, phnum: 0x38, shnum: 0x3c, shstrndx: 0x3e } as const;

/** One program header: its size, and the offsets of p_offset and p_filesz in it. */
const PROGRAM = { size: 56, offset: 8, filesz: 32 } as const;

/** A copy of `elf` that ends where its last segment ends. */
export function withoutSections(elf: Buffer): Buffer {
  const first = Number(elf.readBigUInt64LE(HEADER.phoff));
  const ends = Array.from({ length: elf.readUInt16LE(HEADER.phnum) }, (_, index) => {
    const at = first + index * PROGRAM.size;
    return Number(
      elf.readBigUInt64LE(at + PROGRAM.offset) + elf.readBigUInt64LE(at + PROGRAM.filesz),
    );
  });
  const end = Math.max(...ends);
  if (Number(elf.readBigUInt64LE(HEADER.shoff)) < end) return elf;
  const cut = Buffer.from(elf.subarray(0, end));
  cut.writeBigUInt64LE(0n, HEADER.shoff);
  cut.writeUInt16LE(0, HEADER.shnum);
  cut.writeUInt16LE(0, HEADER.shstrndx);
  return cut;
}
