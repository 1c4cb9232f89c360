import * as readline from "node:readline";

/** Asks a question to which only "y" or "yes" is a yes; Ctrl-C and Ctrl-D are none. */
export function confirm(question: string): Promise<boolean> {
  const lines = readline.createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    lines.on("close", () => resolve(false));
    lines.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      lines.close();
    });
  });
}
