/**
 * The one program behind every name: what it does is decided by the name it is called by. Each
 * entry is loaded only when it is the one, so that svctl does not wait for the supervisor's code.
 */

const argv: readonly string[] = process.argv.slice(2);
const name: string = process.argv0.slice(process.argv0.lastIndexOf('/') + 1);

async function run(): Promise<number> {
  switch (name) {
    case 'svctl':
    case 'poweroff':
    case 'reboot':
    case 'halt':
    case 'shutdown':
    case 'telinit':
      return (await import('./svctl.ts')).main(argv, name);
    case 'svlog':
      return (await import('./svlog.ts')).main(argv);
    case 'svkexec':
      return (await import('./svkexec.ts')).main(argv);
    case 'svmod':
      return (await import('./svmod.ts')).main(argv);
    case 'svnotify':
      return (await import('./svnotify.ts')).main(argv);
    case 'svdev':
      return (await import('./svdev.ts')).main(argv);
    case 'svrescue':
      return (await import('./svrescue.ts')).main(argv);
    case 'svpause':
      return (await import('./svpause.ts')).main(argv);
    case 'svroot':
      return (await import('./svroot.ts')).main(argv);
    case 'svpty':
      return (await import('./svpty.ts')).main(argv);
    case 'svoverlay':
      return (await import('./svoverlay.ts')).main(argv);
    case 'svprobe':
      return (await import('./svprobe.ts')).main(argv);
    case 'svviews':
      return (await import('./svviews.ts')).main(argv);
    default: {
      const isBegun = await (await import('./first-life.ts')).firstLife(argv);
      return (await import('./init.ts')).main(argv, isBegun);
    }
  }
}

// No `await` up here: CommonJS, in which Node can be given code that is compiled, has none.
void run().then((code) => {
  process.exitCode = code;
});
