import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import { describe, expect, inject, test } from "vitest";
import { serviceNames } from "../../src/images";
import { waitFor } from "../../src/lib/retry";
import { clients, stackEnv } from "../support/clients";
import { idBase, keepsStack, processesOf, pulumi, succeeds, theCheckout, traces } from "../support/e2e";

const checkout = theCheckout();
const minutes = 60_000;

const cdc = (...args: string[]) => succeeds(checkout.cdc(args));
const plain = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  succeeds(pulumi(checkout, env, args));

describe.skipIf(keepsStack)("down", () => {
  test("deletes nothing while nobody says yes", async () => {
    const before = await traces(serviceNames);
    const { code, stdout, stderr } = await checkout.cdc(["down"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/volumes with all their data: .*cdc-postgres-data/);
    expect(stderr).toMatch(/--yes/);
    expect(await traces(serviceNames)).toEqual(before);
  });

  test("keeps the data with --keep-data, and an up that Ctrl-C interrupts and the next one go on with it", {
    timeout: 10 * minutes,
  }, async () => {
    const rows = await orderInBoth(idBase + 30);
    await cdc("down", "--yes", "--keep-data");
    await expectOnlyData();
    expect((await checkout.cdc(["status"])).code).toBe(1);

    await isInterrupted("up");
    await cdc("up");
    await rows.areThere();
    await cdc("verify", "--wait", "60");
    await cdc("status");
  });

  test("by plain pulumi keeps the data where the settings say so, and plain up goes on with it", {
    timeout: 10 * minutes,
  }, async () => {
    const settingsFile = path.join(checkout.folder, "Pulumi.dev.yaml");
    const settings = fs.readFileSync(settingsFile, "utf8");
    const env = await stackEnv(checkout);
    const rows = await orderInBoth(idBase + 31);
    try {
      fs.writeFileSync(settingsFile, settings.replace(/^config:\n/m, "$&  cdc:keepData: true\n"));
      await plain(env, "up", "--yes", "--skip-preview");
      const refused = await pulumi(checkout, env, ["destroy", "--yes", "--skip-preview"]);
      expect(refused.code).not.toBe(0);
      expect(refused.stdout + refused.stderr).toMatch(/protected/);
      const keeping = { ...env, CDC_KEEP_DATA: "1" };
      await plain(keeping, "destroy", "--yes", "--skip-preview", "--exclude-protected");
      await expectOnlyData();
    } finally {
      fs.writeFileSync(settingsFile, settings);
    }
    await plain(env, "up", "--yes", "--skip-preview");
    await rows.areThere();
    await cdc("verify", "--wait", "60");
    await plain(env, "destroy", "--yes", "--skip-preview");
    expect(await traces(serviceNames)).toEqual([]);
  });

  test("leaves nothing behind", { timeout: 5 * minutes }, async () => {
    await cdc("down", "--yes");
    expect(await traces(serviceNames)).toEqual([]);
    const { Volumes } = await new Docker().listVolumes();
    const before = inject("e2eVolumesBefore");
    expect((Volumes ?? []).map(({ Name }) => Name).filter((name) => !before.includes(name))).toEqual([]);
    await waitFor(async () => (await processesOf(checkout.folder)).length === 0, {
      what: "the end of all processes of the stack",
      timeoutMs: 10_000,
    }).catch(() => undefined);
    expect(await processesOf(checkout.folder)).toEqual([]);
    // Once more, there is nothing to do, and that is no error.
    await cdc("down", "--yes");
  });

  /** A new order that has arrived; after a restart it is to be there still, and a change of it to arrive. */
  async function orderInBoth(id: number): Promise<{ areThere: () => Promise<void> }> {
    const quantity = `SELECT quantity FROM orders WHERE id = ${id}`;
    const { postgres, clickhouse } = clients(await stackEnv(checkout));
    await postgres(
      `INSERT INTO inventory.orders (id, purchaser, quantity, product_id) VALUES (${id}, 1, 8, 1)`,
    );
    await waitFor(async () => (await clickhouse(quantity)).length === 1, {
      what: `order ${id}`,
      timeoutMs: 20_000,
    });
    return {
      areThere: async () => {
        // Its passwords may be others.
        const after = clients(await stackEnv(checkout));
        const found = await after.postgres(`SELECT quantity FROM inventory.orders WHERE id = ${id}`);
        expect(found).toEqual([{ quantity: 8 }]);
        expect(await after.clickhouse(quantity)).toEqual([{ quantity: 8 }]);
        await after.postgres(`UPDATE inventory.orders SET quantity = 9 WHERE id = ${id}`);
      },
    };
  }

  async function expectOnlyData(): Promise<void> {
    const left = await traces(serviceNames);
    expect(left).toContain("cdc-postgres-data");
    expect(left.filter((name) => !name.endsWith("-data"))).toEqual([]);
  }

  /** Ctrl-C, as a terminal sends it, while containers are being made: what is under way ends, and then the command. */
  async function isInterrupted(...args: string[]): Promise<void> {
    let pid = 0;
    const running = checkout.cdc(args, {
      onSpawn: (id) => {
        pid = id;
      },
    });
    await waitFor(() => new Docker().getContainer("kafka").inspect(), {
      what: "container kafka",
      timeoutMs: 2 * minutes,
    });
    process.kill(-pid, "SIGINT");
    const { code, stdout, stderr } = await running;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(stdout).toMatch(/interrupted: waiting for what is under way to end/);
    expect(stdout).toMatch(/✗ Stack: interrupted \(.*\); run the command again to complete it/);
    // Nothing is half-done: the lock is free, and no operation is pending.
    const { stdout: state } = await pulumi(checkout, await stackEnv(checkout), ["stack", "export"]);
    expect(JSON.parse(state).deployment.pending_operations ?? []).toEqual([]);
  }
});
