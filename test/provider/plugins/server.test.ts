import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unknown } from "../../../offline/plugins/provider/unknown";
import { waitFor } from "../../../src/lib/retry";
import { isSecret, PluginClient, type Stored } from "./client";

let plugin: PluginClient;
let urn: string;

beforeAll(async () => {
  plugin = await PluginClient.start("random");
  urn = plugin.urn("RandomPassword", "pw");
});

afterAll(async () => {
  await plugin.end();
});

test("a preview makes nothing, and says that the outputs are secret and not known yet", async () => {
  const state = await plugin.preview(urn, { length: 20 });
  expect(state).toMatchObject({ length: 20, numeric: true });
  for (const name of ["result", "bcryptHash"]) {
    expect(isSecret(state[name])).toBe(true);
    expect((state[name] as { value: unknown }).value).toBe(unknown);
  }
});

test("a password leaves the plugin as a secret, and stays the same in a refresh", async () => {
  const made = await plugin.create(urn, { length: 20 });
  expect(isSecret(made.state.result)).toBe(true);
  const { value: result } = made.state.result as { value: string };
  const { value: bcryptHash } = made.state.bcryptHash as { value: string };
  expect(result).toHaveLength(20);
  // The engine sends state in the clear.
  const stored: Stored = { ...made, state: { ...made.state, result, bcryptHash } };
  expect(await plugin.read(urn, stored)).toEqual(made);
  expect((await plugin.diff(urn, stored, { length: 20 })).differences).toEqual([]);
  expect((await plugin.diff(urn, stored, { length: 21 })).differences).toEqual([
    { path: "length", replace: true },
  ]);
});

test("the plugin ends when the engine that started it is killed", async () => {
  // A shell in the engine's place, because it is killed.
  const script = 'home=$1; shift; "$home"/plugins/resource-random-*/pulumi-resource-random & echo $!; wait';
  const engine = spawn("sh", ["-c", script, "sh", plugin.home], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  engine.stdout.on("data", (data) => {
    output += data;
  });
  const pid = Number(
    await waitFor(() => output.trim().split("\n").length === 2 && output.split("\n")[0], {
      what: "start of the plugin",
      timeoutMs: 20_000,
    }),
  );
  expect(isRunning(pid)).toBe(true);
  engine.kill("SIGKILL");
  await waitFor(() => !isRunning(pid), { what: "end of the plugin", timeoutMs: 5000 });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
