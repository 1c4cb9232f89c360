/** Where a command writes for the user. */
export interface Terminal {
  /** Writes a line that stays. */
  readonly line: (text?: string) => void;
  /** Shows a text that the next one replaces; nothing where the output is no terminal. */
  readonly status: (text: string) => void;
  /** Takes the status away. */
  readonly clear: () => void;
  /** Lines with a carriage return and colours make sense. */
  readonly interactive: boolean;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress goes to standard error where standard output carries the result (`env`, `--json`). */
export function terminalOn(stream: Stream): Terminal {
  const interactive = Boolean(stream.isTTY) && process.env.TERM !== "dumb";
  let shown = false;
  const clear = () => {
    if (shown) stream.write("\r\x1b[K");
    shown = false;
  };
  return {
    interactive,
    clear,
    line: (text = "") => {
      clear();
      stream.write(`${text}\n`);
    },
    status: (text) => {
      if (!interactive) return;
      const width = (stream.columns ?? 80) - 1;
      stream.write(`\r\x1b[K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
      shown = true;
    },
  };
}

/** A terminal that shows nothing. */
export const silent: Terminal = {
  line: () => {},
  status: () => {},
  clear: () => {},
  interactive: false,
};
