import Docker from "dockerode";
import { describe, expect, inject, test } from "vitest";
import { serviceNames } from "../../src/images";
import { waitFor } from "../../src/lib/retry";
import { clients, keepsStack, processesOf, stackEnv, theCheckout, traces } from "../support/e2e";

const checkout = theCheckout();
const minutes = 60_000;

describe.skipIf(keepsStack)("down", () => {
  test("deletes nothing while nobody says yes", async () => {
    const before = await traces(serviceNames);
    const { code, stdout, stderr } = await checkout.cdc(["down"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/volumes with all their data: .*cdc-postgres-data/);
    expect(stderr).toMatch(/--yes/);
    expect(await traces(serviceNames)).toEqual(before);
  });

  test("keeps the data with --keep-data, and up goes on with it", { timeout: 10 * minutes }, async () => {
    const marker = "SELECT quantity FROM orders WHERE id = 900030";
    const before = clients(await stackEnv(checkout));
    await before.postgres(
      "INSERT INTO inventory.orders (id, purchaser, quantity, product_id) VALUES (900030, 1, 8, 1)",
    );
    await waitFor(async () => (await before.clickhouse(marker)).length === 1, {
      what: "order 900030",
      timeoutMs: 20_000,
    });
    await succeeds("down", "--yes", "--keep-data");
    const left = await traces(serviceNames);
    expect(left).toContain("cdc-postgres-data");
    expect(left.filter((name) => !name.endsWith("-data"))).toEqual([]);
    expect((await checkout.cdc(["status"])).code).toBe(1);

    await succeeds("up");
    const after = clients(await stackEnv(checkout));
    expect(await after.postgres("SELECT quantity FROM inventory.orders WHERE id = 900030")).toEqual([
      { quantity: 8 },
    ]);
    expect(await after.clickhouse(marker)).toEqual([{ quantity: 8 }]);
    await after.postgres("UPDATE inventory.orders SET quantity = 9 WHERE id = 900030");
    await succeeds("verify", "--wait", "60");
    await succeeds("status");
  });

  test("leaves nothing behind", { timeout: 5 * minutes }, async () => {
    await succeeds("down", "--yes");
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
    await succeeds("down", "--yes");
  });

  async function succeeds(...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await checkout.cdc(args);
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  }
});
