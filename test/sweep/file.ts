/** An open file of the machine, whatever it is: a pipe, a file in memory, a connection. */

export type OpenFile = {
  readonly label: string;
  /** What was written and not yet read; of a file in memory, what it holds. */
  chunks: Uint8Array[];
  /** The other end of a pipe still has writers. */
  writers: number;
  /** Of an epoll set. */
  readonly watched: Set<number>;
  /** Of a write end: the file that is read at the other. */
  readonly reader: OpenFile | null;
  isAsync: boolean;
  /** Hears of what is written: the other side of a connection. */
  readonly hear: ((text: string) => void) | null;
};

export const newFile = (label: string, more: Partial<OpenFile> = {}): OpenFile => ({
  label,
  chunks: [],
  writers: 0,
  watched: new Set(),
  reader: null,
  isAsync: false,
  hear: null,
  ...more,
});
