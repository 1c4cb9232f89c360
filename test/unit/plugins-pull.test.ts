import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { connect } from "../../offline/plugins/docker/engine";
import { findOrPull } from "../../offline/plugins/docker/remote-image";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-pull-"));

/** An engine that has no image, and whose pulls fail once they have begun. */
const engine = http.createServer((request, response) => {
  if (request.method === "GET") {
    response.statusCode = 404;
    response.end(JSON.stringify({ message: "No such image" }));
    return;
  }
  response.write(`${JSON.stringify({ status: "Pulling fs layer" })}\n`);
  response.end(`${JSON.stringify({ error: "no space left on device" })}\n`);
});

beforeAll(async () => {
  const socket = path.join(folder, "engine.sock");
  await new Promise<void>((resolve) => engine.listen(socket, resolve));
  vi.stubEnv("DOCKER_CONTEXT", undefined);
  vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
});

afterAll(() => {
  engine.close();
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true, force: true });
});

test("a pull that fails on its way says why", async () => {
  await expect(findOrPull(connect({}), "postgres:16")).rejects.toThrow("no space left on device");
});
