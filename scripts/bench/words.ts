/** What docs/benchmarks.md says that does not depend on a run. */

export const METHOD: readonly string[] = `
Made by \`make bench\` (some twenty minutes, as root); do not edit. \`make bench QUICK=1\` takes a
few minutes and leaves this page alone, \`make bench-compare\` names what got worse against the ratios
in benchmarks.json, \`make profile\` shows where PID 1's time goes.

svinit and its peers are measured side by side in one run: each as PID 1 of fresh namespaces, in a
cgroup and a root of its own on a tmpfs, in rounds in which every one has its turn, after one life
that does not count. A service is a static program without a C library that notes the time of
CLOCK_MONOTONIC when it starts, when it is ready and when it is told to end. What is quoted is the
ratio, for times are those of one machine. A figure is the median of all samples.

- The **floor** is a loop of vfork and execve in C that starts again what ends.
- A **limit** is the least program that does the same on Bun or on Node: svinit's own system calls
  and nothing else, with the settings svinit gives its runtime, in the same row (scripts/bench/limit.ts).
  What svinit takes beyond it is svinit's own.
- **svinit** has a log for every service, and hears of each that it is ready. **s6** hears it, too.
  Of the others nothing is asked but to start the services; none of them logs.
- *Up* is from the exec of PID 1 until the last service has started, or is ready where the init
  hears of it. *Stopped* is from the exec of the command that asks for it until the last service has
  been told to end. *Memory* is the PSS of all processes but the services, with loggers and helpers.
  *A death and a start* is the CPU time of the same while services are killed and started again.
- *Instructions* are those of PID 1 and of all it starts, services included, in user mode and in the
  kernel, as the processor counts them: they hardly change when the machine has something else to do.
- *Waves*: each of 20 services needs all 20 of the wave before, and is ready 10 ms after its start,
  so that 100 ms are the least. runit and s6 have no dependencies of their own: a service waits in its
  \`run\`, with \`sv check\` and \`s6-svwait\`; what fails is tried again after a second. busybox init,
  supervisord and pm2 start nothing after something else was ready.
- *Killed → running*: SIGKILL until the next process of the service runs, which had run for longer
  than a second. busybox init, supervisord and pm2 wait before they start it again.
- *Restart, request written*: on the control socket of svinit, the control FIFOs of s6 and runit.
- *Idle*: all processes but the services, of which none does anything.
- *Lines*: through a pipe, or for svlog a FIFO, until the last one is in a file. svlog stamps every
  line; without stamps it is what svinit has instead of s6-log in images of s6-overlay.
- *Boot*: one kernel in QEMU with one processor, until 50 services have started. Who needs an
  interpreter or half of Debian is not booted: systemd, supervisord, pm2.
- *CPU time* is that of whole processes, with threads that have ended; *context switches* are those of
  all threads that still run. Programs are read anew before the first life, for one that was just
  built lies in memory in large folios, and has up to twice as much of it mapped.

What is not in the tables, and why: runsvdir takes at most 1,000 services; supervisord and pm2 would
take minutes for 5,000. tini has one program. busybox init has no command for one service. Only svinit
answers requests on a connection that stays; s6 and runit write what there is to know to files.
`
  .trim()
  .split('\n');

export const KEY: readonly string[] = [
  'A limit beside each figure: where it, too, is above, no program on that runtime reaches the figure.',
];

export const UNKNOWN: readonly string[] = [
  '– means: it has no such thing, or could not do it in a time anybody waits for; ∞: it never came.',
];
