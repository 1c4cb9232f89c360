import { beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../src/lib/retry";
import { clients, stackEnv } from "../support/clients";
import { idBase, succeeds, theCheckout } from "../support/e2e";

const checkout = theCheckout();
/** The product's promise: commit in Postgres to a query's answer in ClickHouse. */
const promisedMs = 2000;
let stack: ReturnType<typeof clients>;

beforeAll(async () => {
  stack = clients(await stackEnv(checkout));
});

interface Order {
  readonly id: number;
  readonly quantity: number;
  readonly product_id: number;
}

const orderWith = async (id: number): Promise<Order | undefined> => {
  const [row] = await stack.clickhouse<Order>(`SELECT id, quantity, product_id FROM orders WHERE id = ${id}`);
  return row;
};

/** Commits, waits until ClickHouse shows it, and returns how long that took, milliseconds. */
async function timed(sql: string, isThere: () => Promise<boolean>): Promise<number> {
  await stack.postgres(sql);
  const committed = performance.now();
  await waitFor(isThere, { what: `in ClickHouse: ${sql}`, timeoutMs: 20_000, everyMs: 10 });
  return performance.now() - committed;
}

const newOrder = async (id: number) =>
  stack.postgres(
    `INSERT INTO inventory.orders (id, order_date, purchaser, quantity, product_id)
     VALUES (${id}, '2026-02-03', 1, 4, 2)`,
  );

test("the snapshot's rows are equal, value by value", async () => {
  await verified();
});

test("an insert, an update and a delete are each to be seen within 2 s", async () => {
  const id = idBase + 1;
  const insert = await timed(
    `INSERT INTO inventory.orders (id, order_date, purchaser, quantity, product_id)
     VALUES (${id}, '2026-02-03', 1, 4, 2)`,
    async () => (await orderWith(id))?.quantity === 4,
  );
  const update = await timed(
    `UPDATE inventory.orders SET quantity = 7 WHERE id = ${id}`,
    async () => (await orderWith(id))?.quantity === 7,
  );
  const remove = await timed(
    `DELETE FROM inventory.orders WHERE id = ${id}`,
    async () => (await orderWith(id)) === undefined,
  );
  console.log(
    `latency, ms: insert ${insert.toFixed(0)}, update ${update.toFixed(0)}, delete ${remove.toFixed(0)}`,
  );
  expect(Math.max(insert, update, remove)).toBeLessThan(promisedMs);
});

test("the change log keeps what the table no longer shows", async () => {
  const log = await stack.clickhouse<{ operation: string; quantity: number }>(
    `SELECT operation, quantity FROM orders_final WHERE id = ${idBase + 1} ORDER BY _synced_at, operation = 'd', quantity`,
  );
  expect(log.map(({ operation }) => operation).sort()).toEqual(["c", "d", "u"]);
});

test("a changed primary key moves the row, and leaves no second one", async () => {
  const [before, after] = [idBase + 2, idBase + 3];
  await newOrder(before);
  await stack.postgres(`UPDATE inventory.orders SET id = ${after} WHERE id = ${before}`);
  await waitFor(async () => (await orderWith(after)) !== undefined, {
    what: `order ${after}`,
    timeoutMs: 20_000,
  });
  await waitFor(async () => (await orderWith(before)) === undefined, {
    what: `end of order ${before}`,
    timeoutMs: 20_000,
  });
});

test("what one transaction does is there as a whole, and what is rolled back never", async () => {
  const [customer, order, never] = [idBase + 1, idBase + 4, idBase + 5];
  await stack.postgres(
    `BEGIN;
     INSERT INTO inventory.customers (id, first_name, last_name, email)
     VALUES (${customer}, 'Zoë', 'O''Neil', 'zoe-${customer}@example.com');
     INSERT INTO inventory.orders (id, purchaser, quantity, product_id) VALUES (${order}, ${customer}, 1, 1);
     UPDATE inventory.orders SET quantity = 2 WHERE id = ${order};
     COMMIT`,
  );
  await stack.postgres(
    `BEGIN; INSERT INTO inventory.orders (id, purchaser, quantity, product_id) VALUES (${never}, 1, 1, 1); ROLLBACK`,
  );
  await waitFor(async () => (await orderWith(order))?.quantity === 2, {
    what: `order ${order}`,
    timeoutMs: 20_000,
  });
  await verified();
  expect(await orderWith(never)).toBeUndefined();
});

describe("a workload", () => {
  test("of 1,000 rows a second arrives whole", { timeout: 4 * 60_000 }, async () => {
    const { stdout, code } = await checkout.cdc([
      "generate",
      "--rate",
      "1000",
      "--seconds",
      "30",
      "--seed",
      "1",
    ]);
    console.log(stdout.trimEnd().split("\n").slice(-2).join("\n"));
    // A busy machine may hold a lower rate. The rows count all the same.
    const [, rows = "0"] = /^([\d,]+) rows in [\d,]+ transactions/m.exec(stdout) ?? [];
    expect(Number(rows.replaceAll(",", ""))).toBeGreaterThan(5000);
    if (code !== 0)
      expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/was not held/) });
    await verified();
  });
});

test("a truncated table is empty on the other side too, and takes rows again", async () => {
  await stack.postgres("TRUNCATE inventory.orders");
  await waitFor(async () => (await stack.clickhouse("SELECT 1 FROM orders LIMIT 1")).length === 0, {
    what: "an empty table in ClickHouse",
    timeoutMs: 20_000,
  });
  const id = idBase + 10;
  await newOrder(id);
  await waitFor(async () => (await orderWith(id))?.quantity === 4, {
    what: `order ${id}`,
    timeoutMs: 20_000,
  });
  await verified();
});

async function verified(): Promise<void> {
  await succeeds(checkout.cdc(["verify", "--wait", "60"]));
}
