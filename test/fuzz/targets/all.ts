/** Every fuzz target there is. */
import { type Fuzzer, fuzzer } from '../fuzzer.ts';
import { cmdline } from './cmdline.ts';
import { definitions } from './definitions.ts';
import { frames } from './frames.ts';
import { log } from './log.ts';
import { notify } from './notify.ts';
import { proc } from './proc.ts';
import { state } from './state.ts';
import { terminal } from './terminal.ts';

/** How often a smaller input is tried of a target that takes long. */
const FEW = 300;

export const fuzzers = (): readonly Fuzzer[] => [
  fuzzer(cmdline),
  fuzzer(definitions),
  fuzzer(frames),
  fuzzer(log),
  fuzzer(notify),
  fuzzer(proc),
  fuzzer(state, FEW),
  fuzzer(terminal),
];
