/** Few bytes, and yet what stands on the terminal is what should. */
import t from 'tap';
import { redraw } from '../../src/cli/redraw.ts';

/** A terminal that knows what redraw() writes: cells with their colour. */
class Screen {
  readonly rows: string[][] = [];
  #row = 0;
  #column = 0;
  #colour = '';

  write(text: string): void {
    for (const [part] of text.matchAll(/\x1b\[[0-9;]*[A-Za-z]|[\s\S]/gu)) {
      const [, numbers = '', act] = /^\x1b\[([0-9;]*)([A-Za-z])$/.exec(part) ?? [];
      if (act === 'm') this.#colour = numbers === '0' ? '' : numbers;
      else if (act === 'H') [this.#row, this.#column] = this.#place(numbers);
      else if (act === 'K') this.#cells().length = this.#column;
      else {
        this.#cells()[this.#column] = `${this.#colour}${part}`;
        this.#column += 1;
      }
    }
  }

  #place(numbers: string): [number, number] {
    const [row = 1, column = 1] = numbers.split(';').map(Number);
    return [row - 1, column - 1];
  }

  #cells(): string[] {
    const cells = this.rows[this.#row] ?? [];
    this.rows[this.#row] = cells;
    return cells;
  }
}

function fresh(lines: readonly string[]): Screen {
  const screen = new Screen();
  screen.write(redraw([], lines));
  return screen;
}

/** The generator of Park and Miller: the same lines every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

const PIECES = ['web', '\x1b[32mup\x1b[0m', '\x1b[33mup\x1b[0m', '1m8s', '1m9s', '●', ' ', '', '0'];

t.test('redraw() ends in the same screen as drawing everything', async (t) => {
  const below = random(7);
  const piece = (): string => PIECES[below(PIECES.length)] ?? '';
  const line = (): string => Array.from({ length: below(6) }, piece).join(' ');
  for (let life = 0; life < 300; life += 1) {
    let drawn: string[] = [];
    const screen = new Screen();
    for (let look = 0; look < 5; look += 1) {
      const lines = Array.from({ length: 4 }, (_, i) => (below(2) ? line() : (drawn[i] ?? '')));
      screen.write(redraw(drawn, lines));
      drawn = lines;
      const wanted = fresh(lines).rows;
      if (JSON.stringify(screen.rows) !== JSON.stringify(wanted)) {
        t.same(screen.rows, wanted, `life ${life}, look ${look}`);
        return;
      }
    }
  }
});

t.test('redraw() writes little', async (t) => {
  t.equal(redraw(['a', 'b'], ['a', 'b']), '', 'nothing changed');
  const [before, after] = ['* web  up  1m28s  63.3  256K', '* web  up  1m29s  63.3  256K'];
  t.equal(redraw([before], [after]), '\x1b[1;15H9', 'one character');
  t.equal(redraw(['x', 'short'], ['x', 'shorter']), '\x1b[2;6Her\x1b[K');
  const [green, yellow] = ['* web \x1b[32mup\x1b[0m  1s', '* web \x1b[33mup\x1b[0m  1s'];
  t.equal(redraw([green], [yellow]), '\x1b[1;7H\x1b[33mup\x1b[0m  1s\x1b[K', 'a colour');
  t.equal(redraw(['● web 1s'], ['● web 2s']), '\x1b[1;1H● web 2s\x1b[K', 'of unknown width');
});
