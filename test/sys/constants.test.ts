/** The numbers of constants.ts against those the runtime was compiled with. */
import { constants as fs } from 'node:fs';
import { constants as os } from 'node:os';
import t from 'tap';
import { O, S_IF, SIG } from '../../src/sys/constants.ts';
import { C_NAMES, SIGNATURES } from '../../src/sys/signatures.ts';

t.test('O, S_IF and SIG are the numbers of this CPU', async (t) => {
  const known = fs as Readonly<Record<string, number>>;
  for (const [name, value] of Object.entries(O)) {
    if (!['ASYNC', 'CLOEXEC', 'PATH'].includes(name)) t.equal(value, known[`O_${name}`], name);
  }
  const kinds = { fifo: 'IFO', char: 'CHR', directory: 'DIR', block: 'BLK', file: 'REG' };
  for (const [kind, name] of Object.entries({ ...kinds, link: 'LNK', socket: 'SOCK' })) {
    t.equal(S_IF[kind as keyof typeof S_IF], known[`S_IF${name}`], kind);
  }
  for (const [name, value] of Object.entries(SIG)) {
    t.equal(value, os.signals[name as NodeJS.Signals], name);
  }
});

t.test('every function takes at most six values, as registers allow', async (t) => {
  for (const name of C_NAMES) t.ok(SIGNATURES[name].args.length <= 6, name);
});
