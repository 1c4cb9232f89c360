import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { alertmanagerConfig } from "../../src/components/alertmanager";
import type { ServiceName } from "../../src/images";
import { inProject, readProjectFile } from "../../src/lib/paths";
import { execIn, imageOf, upload } from "../support/servers";
import { runLabels } from "../support/servers-setup";

const docker = new Docker();
const containers: Docker.Container[] = [];

afterAll(() => Promise.all(containers.map((container) => container.remove({ force: true, v: true }))));

describe("what the stack's Prometheus reads, by its own promtool", () => {
  let prometheus: Docker.Container;

  beforeAll(async () => {
    prometheus = await idle("prometheus", "prometheus", {
      // Where the stack has them: the configuration names this folder.
      ...filesOf("rules", "/etc/prometheus/rules"),
      ...filesOf("rules", "/cdc/rules"),
      ...filesOf("tests", "/cdc/tests"),
      "/cdc/prometheus.yml": readProjectFile("prometheus", "prometheus.yml"),
      "/cdc/federation.yml": readProjectFile("prometheus", "federation.yml"),
    });
  }, 10 * 60_000);

  test("the configuration is right, and its rules are found", async () => {
    const { code, output } = await execIn(prometheus, ["promtool", "check", "config", "/cdc/prometheus.yml"]);
    expect(code, output).toBe(0);
    for (const file of namesIn("rules")) expect(output).toContain(`/etc/prometheus/rules/${file}`);
  });

  test("the example of federation is right", async () => {
    const { code, output } = await execIn(prometheus, ["promtool", "check", "config", "/cdc/federation.yml"]);
    expect(code, output).toBe(0);
  });

  test("the rules are right", async () => {
    const files = namesIn("rules").map((file) => `/cdc/rules/${file}`);
    const { code, output } = await execIn(prometheus, ["promtool", "check", "rules", ...files]);
    expect(code, output).toBe(0);
  });

  // One file a call: the output of a failure is then short.
  test.each(namesIn("tests"))("tests/%s", async (file) => {
    const { code, output } = await execIn(prometheus, ["promtool", "test", "rules", `/cdc/tests/${file}`]);
    expect(code, output).toBe(0);
  });
});

const everyReceiver = {
  webhook: "https://hooks.example.com/alerts",
  slack: { channel: "#on-call", webhookUrl: "https://hooks.slack.example.com/services/1" },
  email: {
    to: "on-call@example.com",
    from: "cdc@example.com",
    smarthost: "smtp.example.com:587",
    user: "cdc",
    password: "secret",
    requireTls: true,
  },
} as const;

test.each([
  ["without receivers", {}],
  ["with all of them", everyReceiver],
] as const)("Alertmanager's configuration is right, by its own amtool, %s", async (name, receivers) => {
  const alertmanager = await idle("alertmanager", `alertmanager-${name.replaceAll(" ", "-")}`, {
    "/cdc/alertmanager.yml": alertmanagerConfig(receivers),
  });
  const { code, output } = await execIn(alertmanager, ["amtool", "check-config", "/cdc/alertmanager.yml"]);
  expect(code, output).toBe(0);
  expect(output).toContain(`${Object.keys(receivers).length > 0 ? 2 : 1} receivers`);
});

/** A container in which nothing runs but what a test starts. */
async function idle(
  service: ServiceName,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Docker.Container> {
  const run = inject("serversRun");
  const container = await docker.createContainer({
    name: `cdc-test-${run.id}-rules-${name}`,
    Image: await imageOf(service),
    // Both images have a shell of busybox or Debian.
    Entrypoint: ["sleep"],
    Cmd: ["3600"],
    Labels: runLabels(run),
    HostConfig: { NetworkMode: "none", Memory: 256 * 1024 * 1024, MemorySwap: 256 * 1024 * 1024 },
  });
  containers.push(container);
  await upload(container, files);
  await container.start();
  return container;
}

function namesIn(folder: "rules" | "tests"): string[] {
  return fs.readdirSync(inProject("prometheus", folder)).sort();
}

/** The files of a folder of prometheus/, by their path in the container. */
function filesOf(folder: "rules" | "tests", target: string): Record<string, string> {
  return Object.fromEntries(
    namesIn(folder).map((file) => [
      path.posix.join(target, file),
      readProjectFile("prometheus", folder, file),
    ]),
  );
}
