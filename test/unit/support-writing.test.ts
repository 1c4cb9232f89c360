import * as net from "node:net";
import { expect, test } from "vitest";
import { sleep } from "../../src/lib/retry";
import { cleanUp } from "../support/provider";
import { startWriting } from "../support/writing";

test("a writer that fails is said so at the end, and is nobody else's error before", async () => {
  const closed = net.createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as net.AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    const writing = startWriting({ host: "127.0.0.1", port, name: "nobody" }, 2, () => []);
    // Longer than the connection needs to be refused.
    await sleep(200);
    await expect(writing.end()).rejects.toThrow(/ECONNREFUSED/);
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", note);
  }
});

test("everything is cleaned up, and what failed is said", async () => {
  const done: string[] = [];
  const part = (name: string) => async () => {
    done.push(name);
    if (name.startsWith("bad")) throw new Error(name);
  };
  await expect(cleanUp(part("bad one"), part("good"))).rejects.toThrow(/^bad one$/);
  await expect(cleanUp(part("bad one"), part("bad two"), part("last"))).rejects.toThrow(/^bad one; bad two$/);
  expect(done).toEqual(["bad one", "good", "bad one", "bad two", "last"]);
});
