import * as net from "node:net";
import { afterEach, expect, test } from "vitest";
import { withPostgres } from "../../src/lib/postgres";
import { waitFor } from "../../src/lib/retry";

/** Says the least that a Postgres says, and keeps its connections open. */
const said = {
  welcome: Buffer.from("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "latin1"),
  refusal: Buffer.from("E\0\0\0\x17SFATAL\0C28P01\0Mno\0\0", "latin1"),
};
let server: net.Server | undefined;
const sockets = new Set<net.Socket>();

async function postgres(answer: Buffer): Promise<{ host: string; port: number; user: string }> {
  server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.once("data", () => socket.write(answer));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { host: "127.0.0.1", port: (server.address() as net.AddressInfo).port, user: "u" };
}

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server?.close();
});

test("a connection that is refused is not left open", async () => {
  const config = await postgres(said.refusal);
  await expect(withPostgres(config, async () => undefined)).rejects.toThrow("no");
  await waitFor(() => sockets.size === 0, { what: "the end of the connection", timeoutMs: 3000 });
});

test("one that breaks while nothing is asked is noticed by the next query", async () => {
  const config = await postgres(said.welcome);
  const work = withPostgres(config, async (client) => {
    const broken = new Promise((resolve) => client.once("end", resolve));
    for (const socket of sockets) socket.resetAndDestroy();
    await broken;
    await client.query("SELECT 1");
  });
  await expect(work).rejects.toThrow();
  expect(sockets.size).toBe(0);
});
