import * as fs from "node:fs";
import * as path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { withKafkaAdmin } from "../../src/lib/kafka";
import { waitFor } from "../../src/lib/retry";
import { clients, stackEnv } from "../support/clients";
import { idBase, pulumi, succeeds, theCheckout } from "../support/e2e";

const checkout = theCheckout();
const minutes = 60_000;
let env: Record<string, string>;

beforeAll(async () => {
  env = await stackEnv(checkout);
});

const plain = (...args: string[]) => pulumi(checkout, env, args);

test("plain pulumi finds nothing to change, and after a refresh neither", {
  timeout: 5 * minutes,
}, async () => {
  await succeeds(plain("preview", "--expect-no-changes"));
  await succeeds(plain("refresh", "--yes", "--expect-no-changes"));
  await succeeds(plain("preview", "--expect-no-changes"));
  const endpoints = JSON.parse(await succeeds(plain("stack", "output", "endpoints", "--json")));
  expect(endpoints).toMatchObject({ kafka: env.KAFKA_BOOTSTRAP_SERVERS, clickhouse: env.CLICKHOUSE_URL });
});

test("the salt that plain pulumi puts into the settings is gone after the next cdc command", {
  timeout: 2 * minutes,
}, async () => {
  await succeeds(checkout.cdc(["preview", "--expect-no-changes"]));
  expect(settings()).not.toMatch(/encryptionsalt/);
});

test("a changed retention plans the captured topics and nothing else, and reaches the broker", {
  timeout: 5 * minutes,
}, async () => {
  const before = settings();
  addSettings("cdc:kafka:", "  retentionHours: 24");
  try {
    expect(await planned()).toEqual([
      "~ update topic-postgres-server.inventory.customers",
      "~ update topic-postgres-server.inventory.orders",
      "~ update topic-postgres-server.inventory.products",
    ]);
    const said = await succeeds(checkout.cdc(["up"]));
    expect(said).toMatch(/Stack: 3 updated/);
    expect(await retentionOf("postgres-server.inventory.orders")).toBe(String(24 * 60 * minutes));
  } finally {
    fs.writeFileSync(settingsFile(), before);
  }
  await succeeds(checkout.cdc(["up"]));
  expect(await retentionOf("postgres-server.inventory.orders")).toBe(String(168 * 60 * minutes));
});

test.each([
  ["a port", ["cdc:ports:", "  node-exporter: 19100"], ["± replace node-exporter-container"]],
  [
    "a setting of the connector",
    ["cdc:connector:", "  settings: { max.batch.size: 4096 }"],
    ["~ update connector"],
  ],
  [
    // Grafana's data source is told of it.
    "the scrape interval",
    ["cdc:prometheus:", "  scrapeIntervalSeconds: 10"],
    ["± replace grafana-container", "± replace prometheus-container"],
  ],
] as const)("changing %s plans that and nothing else", async (_, lines, expected) => {
  const before = settings();
  addSettings(...lines);
  try {
    expect(await planned()).toEqual(expected);
  } finally {
    fs.writeFileSync(settingsFile(), before);
  }
});

test("changing a file of Prometheus plans its container and nothing else", async () => {
  const file = path.join(checkout.folder, "prometheus", "rules", "recording.yml");
  const before = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, `${before}# changed\n`);
  try {
    expect(await planned()).toEqual(["± replace prometheus-container"]);
  } finally {
    fs.writeFileSync(file, before);
  }
});

test("another table is one line of configuration, and the rows that it has already come too", {
  timeout: 6 * minutes,
}, async () => {
  const { postgres, clickhouse } = clients(env);
  await postgres(
    `CREATE TABLE inventory.suppliers (id int PRIMARY KEY, name text NOT NULL, rating numeric(3, 1));
     INSERT INTO inventory.suppliers SELECT n, 'supplier ' || n, n % 50 / 10.0 FROM generate_series(1, 120) AS n`,
  );
  fs.writeFileSync(
    settingsFile(),
    settings().replace("    - inventory.customers\n", "$&    - inventory.suppliers\n"),
  );
  await succeeds(checkout.cdc(["up"]));
  await postgres("UPDATE inventory.suppliers SET rating = rating + 1 WHERE id % 3 = 0");
  await waitFor(
    async () =>
      (await clickhouse<{ n: string }>("SELECT toString(count()) AS n FROM suppliers"))[0]?.n === "120",
    { what: "the 120 suppliers that were there before the table was captured", timeoutMs: 60_000 },
  );
  const verified = await succeeds(checkout.cdc(["verify", "--wait", "60"]));
  expect(verified).toMatch(/inventory\.suppliers → suppliers: 120 rows/);
});

test("a wrong setting is said at once, with what is allowed", async () => {
  const before = settings();
  addSettings("cdc:kafka:", "  partitions: many", "cdc:kafak: 1");
  try {
    const { code, stderr } = await checkout.cdc(["up"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cdc:kafka\.partitions/);
    expect(stderr).toMatch(/kafak/);
    expect(stderr).not.toMatch(/\n\s+at /);
  } finally {
    fs.writeFileSync(settingsFile(), before);
  }
});

test("what was taken away behind Pulumi's back is found by refresh and put back by up", {
  timeout: 6 * minutes,
}, async () => {
  const { postgres, clickhouse, clickhouseDo } = clients(env);
  await clickhouseDo("DROP TABLE orders_mv");
  const gone = await fetch(`${env.CONNECT_URL}/connectors/postgres-connector`, { method: "DELETE" });
  expect(gone.status).toBe(204);

  const broken = await checkout.cdc(["status"]);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/connector postgres-connector: MISSING/);

  await succeeds(plain("refresh", "--yes"));
  const { stdout: plan } = await checkout.cdc(["preview", "--expect-no-changes"]);
  expect(plan).toMatch(/connector/);
  await succeeds(checkout.cdc(["up"]));

  const id = idBase + 20;
  await postgres(
    `INSERT INTO inventory.orders (id, purchaser, quantity, product_id) VALUES (${id}, 1, 3, 1)`,
  );
  await waitFor(async () => (await clickhouse(`SELECT 1 FROM orders WHERE id = ${id}`)).length === 1, {
    what: `order ${id}`,
    timeoutMs: 30_000,
  });
  await succeeds(checkout.cdc(["verify", "--wait", "60"]));
  await succeeds(checkout.cdc(["status"]));
});

test("tables that somebody dropped come back with all their rows", { timeout: 6 * minutes }, async () => {
  await clients(env).clickhouseDo(`DROP DATABASE ${env.CLICKHOUSE_DATABASE} SYNC`);
  await succeeds(plain("refresh", "--yes"));
  await succeeds(checkout.cdc(["up"]));
  await succeeds(checkout.cdc(["verify", "--wait", "120"]));
});

/** What `cdc preview` would do, sorted, without the details. */
async function planned(): Promise<readonly string[]> {
  const plan = await succeeds(checkout.cdc(["preview"]));
  const changes = plan.split("\n").filter((line) => /^ {2}[+~±-] /.test(line));
  return changes.map((line) => line.trim().split(" ").slice(0, 3).join(" ")).sort();
}

async function retentionOf(topic: string): Promise<string | undefined> {
  return withKafkaAdmin(env.KAFKA_BOOTSTRAP_SERVERS as string, 10_000, async (admin) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      // 2: a topic, in Kafka's protocol.
      resources: [{ type: 2, name: topic, configNames: ["retention.ms"] }],
    });
    return resources[0]?.configEntries[0]?.configValue;
  });
}

function settingsFile(): string {
  return path.join(checkout.folder, "Pulumi.dev.yaml");
}

/** Lines of YAML below `config:`. */
function addSettings(...lines: readonly string[]): void {
  const added = lines.map((line) => `  ${line}\n`).join("");
  fs.writeFileSync(
    settingsFile(),
    settings().replace(/^config:\n/m, (config) => config + added),
  );
}

function settings(): string {
  return fs.readFileSync(settingsFile(), "utf8");
}
