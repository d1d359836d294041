/**
 * Changes 64-bit ELF executables (elf(5)): cuts what only a debugger reads, and has a section that is
 * never written mapped so.
 *
 * What runs is described by the program headers; the section headers, the symbol table and the
 * debugging sections come after it in the file. Node's own build carries 33 MB of them. Knows
 * nothing of relocatable objects and of files whose sections stand in another order: those it hands
 * back whole.
 */

/** Offsets in the ELF header: e_phoff, e_shoff, e_phnum, e_shnum, e_shstrndx. */
const HEADER = { phoff: 0x20, shoff: 0x28, phnum: 0x38, shnum: 0x3c, shstrndx: 0x3e } as const;

/** One program header: its size, and the offsets of its fields. */
const PROGRAM = {
  size: 56,
  ...{ flags: 4, offset: 8, vaddr: 16, paddr: 24, filesz: 32, memsz: 40, align: 48 },
} as const;
/** One section header: its size, and the offsets of sh_name, sh_addr, sh_offset. */
const SECTION = { size: 64, name: 0, addr: 16, offset: 24 } as const;
/** PT_LOAD, PT_NOTE; PF_R. */
const [LOAD, NOTE, READ] = [1, 4, 4];
const PAGE = 4096n;

/** A copy of `elf` that ends where its last segment ends. */
export function withoutSections(elf: Buffer): Buffer {
  const ends = headersOf(elf).map((at) =>
    Number(elf.readBigUInt64LE(at + PROGRAM.offset) + elf.readBigUInt64LE(at + PROGRAM.filesz)),
  );
  const end = Math.max(...ends);
  if (Number(elf.readBigUInt64LE(HEADER.shoff)) < end) return elf;
  const cut = Buffer.from(elf.subarray(0, end));
  cut.writeBigUInt64LE(0n, HEADER.shoff);
  cut.writeUInt16LE(0, HEADER.shnum);
  cut.writeUInt16LE(0, HEADER.shstrndx);
  return cut;
}

/**
 * A copy of `elf` in which what is from section `name` to the end of its segment is a segment of its
 * own that is only read: its pages can then be given back. Its header takes the place of the notes',
 * which nobody reads.
 * @throws {Error} when the section is not on a page of its own, or there is none.
 */
export function withConstant(elf: Buffer, name: string): Buffer {
  const changed = Buffer.from(elf);
  const section = sectionOf(elf, name);
  const headers = headersOf(elf).map((at) => ({
    at,
    type: elf.readUInt32LE(at),
    from: elf.readBigUInt64LE(at + PROGRAM.vaddr),
    bytes: elf.readBigUInt64LE(at + PROGRAM.memsz),
  }));
  const whole = headers.find(
    ({ type, from, bytes }) =>
      type === LOAD && section !== null && from < section.addr && section.addr < from + bytes,
  );
  // Segments are in the order of their addresses: this one is the last.
  const free = headers.findLast(({ type, at }) => type === NOTE && at > (whole?.at ?? 0));
  if (section === null || whole === undefined || free === undefined || section.addr % PAGE !== 0n)
    throw new Error(`Cannot have ${name} only read: it is not as Bun used to make it`);
  const before = section.addr - whole.from;
  for (const size of [PROGRAM.filesz, PROGRAM.memsz]) {
    const bytes = elf.readBigUInt64LE(whole.at + size);
    changed.writeBigUInt64LE(before, whole.at + size);
    changed.writeBigUInt64LE(bytes - before, free.at + size);
  }
  changed.writeUInt32LE(LOAD, free.at);
  changed.writeUInt32LE(READ, free.at + PROGRAM.flags);
  changed.writeBigUInt64LE(section.offset, free.at + PROGRAM.offset);
  changed.writeBigUInt64LE(section.addr, free.at + PROGRAM.vaddr);
  changed.writeBigUInt64LE(section.addr, free.at + PROGRAM.paddr);
  changed.writeBigUInt64LE(PAGE, free.at + PROGRAM.align);
  return changed;
}

/** Where the program headers are. */
function headersOf(elf: Buffer): number[] {
  const first = Number(elf.readBigUInt64LE(HEADER.phoff));
  const count = elf.readUInt16LE(HEADER.phnum);
  return Array.from({ length: count }, (_, index) => first + index * PROGRAM.size);
}

function sectionOf(elf: Buffer, name: string): { addr: bigint; offset: bigint } | null {
  const first = Number(elf.readBigUInt64LE(HEADER.shoff));
  const at = (index: number): number => first + index * SECTION.size;
  const names = Number(elf.readBigUInt64LE(at(elf.readUInt16LE(HEADER.shstrndx)) + SECTION.offset));
  for (let index = 0; index < elf.readUInt16LE(HEADER.shnum); index += 1) {
    const header = at(index);
    const text = names + elf.readUInt32LE(header + SECTION.name);
    if (elf.toString('latin1', text, text + name.length + 1) !== `${name}\0`) continue;
    const addr = elf.readBigUInt64LE(header + SECTION.addr);
    return { addr, offset: elf.readBigUInt64LE(header + SECTION.offset) };
  }
  return null;
}
