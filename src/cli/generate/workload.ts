import pg from "pg";
import { sleep } from "../../lib/retry";
import { Pool } from "./pool";
import { type Random, seeded } from "./random";
import { nextTransaction, type Shop, type Transaction } from "./transactions";

export interface WorkloadOptions {
  /** A user who may write to the demo schema. */
  readonly connection: pg.ClientConfig;
  /** Changed rows a second, each an event of the pipeline. */
  readonly rate: number;
  readonly seconds: number;
  /** The same seed on the same database gives the same workload; by default each run is another. */
  readonly seed?: number;
  /** Connections at a time; by default as many as the rate needs, at most 16. */
  readonly connections?: number;
  /** Called once a second. */
  readonly onProgress?: (progress: WorkloadProgress) => void;
  /** Ends the workload early. */
  readonly signal?: AbortSignal;
}

/** What was done so far. */
export interface WorkloadProgress {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly transactions: number;
  /** Milliseconds since the start. */
  readonly elapsedMs: number;
  /** Rows a second since the last report. */
  readonly rate: number;
}

export interface WorkloadResult extends Omit<WorkloadProgress, "rate"> {
  /** Changed rows. */
  readonly rows: number;
  /** Rows a second over the whole time. */
  readonly rate: number;
  /** The wanted rate was too much for this machine. */
  readonly behind: boolean;
}

/** The share of the wanted rate below which it was not held. */
const heldShare = 0.97;

/** Does what a shop does, at a given rate: orders come in, are changed and cancelled; customers register and move. */
export async function generate(options: WorkloadOptions): Promise<WorkloadResult> {
  const random = seeded(options.seed ?? Date.now());
  const clients = await connect(options);
  try {
    const shop = await look(clients[0] as pg.Client, random);
    const counts = await drive(clients, shop, options);
    const rows = counts.inserts + counts.updates + counts.deletes;
    const rate = rows / Math.max(counts.elapsedMs / 1000, 0.001);
    const complete = !options.signal?.aborted;
    return { ...counts, rows, rate, behind: complete && rows < heldShare * options.rate * options.seconds };
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

/** A transaction changes about two rows and waits for the disk: on a busy machine a connection does 125 rows a second. */
function connectionsFor({ rate, connections }: WorkloadOptions): number {
  return connections ?? Math.min(16, Math.max(2, Math.ceil(rate / 125)));
}

async function connect(options: WorkloadOptions): Promise<pg.Client[]> {
  const clients = Array.from({ length: connectionsFor(options) }, () => new pg.Client(options.connection));
  try {
    await Promise.all(
      clients.map(async (client) => {
        client.on("error", () => {});
        await client.connect();
      }),
    );
    return clients;
  } catch (error) {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    throw error;
  }
}

const remembered = 20_000;

async function look(client: pg.Client, random: Random): Promise<Shop> {
  const idsOf = async (table: string) => {
    const { rows } = await client.query<{ id: number }>(
      `SELECT id FROM inventory.${table} ORDER BY id DESC LIMIT ${remembered}`,
    );
    return rows.map(({ id }) => id);
  };
  return {
    random,
    orders: new Pool(await idsOf("orders"), random),
    customers: new Pool(await idsOf("customers"), random),
    products: await idsOf("products"),
    run: Date.now().toString(36),
    newCustomers: 0,
  };
}

type Counts = Omit<WorkloadProgress, "rate">;

async function drive(
  clients: readonly pg.Client[],
  shop: Shop,
  { rate, seconds, onProgress, signal }: WorkloadOptions,
): Promise<Counts> {
  const started = performance.now();
  const counts = { inserts: 0, updates: 0, deletes: 0, transactions: 0 };
  const elapsed = () => performance.now() - started;
  const rowsDone = () => counts.inserts + counts.updates + counts.deletes;
  let scheduled = 0;
  let failure: unknown;

  const work = async (client: pg.Client) => {
    while (failure === undefined && !signal?.aborted) {
      const due = (scheduled / rate) * 1000;
      if (due >= seconds * 1000 || elapsed() >= seconds * 1000) return;
      const transaction = nextTransaction(shop);
      scheduled += transaction.rows;
      if (due > elapsed()) await sleep(due - elapsed());
      await execute(client, transaction, shop, counts);
    }
  };

  let before = { rows: 0, at: 0 };
  const reporter = setInterval(() => {
    const now = { rows: rowsDone(), at: elapsed() };
    onProgress?.({
      ...counts,
      elapsedMs: now.at,
      rate: ((now.rows - before.rows) / (now.at - before.at)) * 1000,
    });
    before = now;
  }, 1000);
  try {
    await Promise.all(
      clients.map((client) =>
        work(client).catch((error: unknown) => {
          failure ??= error;
        }),
      ),
    );
  } finally {
    clearInterval(reporter);
  }
  if (failure !== undefined) throw failure;
  // A rate that was held ends a little early: the last transactions were due before the end.
  const elapsedMs = signal?.aborted ? elapsed() : Math.max(elapsed(), seconds * 1000);
  return { ...counts, elapsedMs };
}

async function execute(
  client: pg.Client,
  { sql, claimed }: Transaction,
  shop: Shop,
  counts: { inserts: number; updates: number; deletes: number; transactions: number },
): Promise<void> {
  const answer = (await client.query(sql)) as unknown;
  const results = (Array.isArray(answer) ? answer : [answer]) as readonly pg.QueryResult[];
  for (const { command, rowCount, rows } of results) {
    if (command === "INSERT") {
      counts.inserts += rowCount ?? 0;
      for (const { order_id, customer_id } of rows) {
        if (order_id !== undefined) shop.orders.put([order_id]);
        if (customer_id !== undefined) shop.customers.put([customer_id]);
      }
    }
    if (command === "UPDATE") counts.updates += rowCount ?? 0;
    if (command === "DELETE") counts.deletes += rowCount ?? 0;
  }
  counts.transactions += 1;
  shop.orders.put(claimed.orders);
  shop.customers.put(claimed.customers);
}
