import type { Pool } from "./pool";
import type { Random } from "./random";

/** What the workload knows of the demo database. */
export interface Shop {
  readonly random: Random;
  readonly orders: Pool;
  readonly customers: Pool;
  readonly products: readonly number[];
  /** Tells this run's customers from those of other runs: e-mail addresses are unique. */
  readonly run: string;
  /** Number of customers that this run has made. */
  newCustomers: number;
}

/** One transaction, as one text for one round trip to the server. */
export interface Transaction {
  readonly sql: string;
  /** Rows that it is expected to change. */
  readonly rows: number;
  /** Ids taken from the pools: put back when it has ended, unless it has deleted them. */
  readonly claimed: Claimed;
}

export interface Claimed {
  /** Orders that live on. */
  readonly orders: readonly number[];
  readonly customers: readonly number[];
}

type Maker = (shop: Shop) => Transaction | undefined;

/** What happens in a shop, and how often of a hundred times. */
const kinds: readonly (readonly [weight: number, make: Maker])[] = [
  [46, placeOrder],
  [8, registerCustomer],
  [24, changeOrder],
  [12, cancelOrder],
  [4, swapOrder],
  [6, moveCustomer],
];

const allWeights = kinds.map(([weight]) => weight).reduce((a, b) => a + b, 0);

/** The next transaction. What can't be done (there is no order left to cancel) makes place for a new order. */
export function nextTransaction(shop: Shop): Transaction {
  let at = shop.random.next() * allWeights;
  const chosen = kinds.find(([weight]) => {
    at -= weight;
    return at < 0;
  });
  const made = chosen?.[1](shop) ?? placeOrder(shop) ?? registerCustomer(shop);
  if (made === undefined)
    throw new Error(
      "inventory.products is empty: nothing can be ordered; fill it, or bring the stack up anew",
    );
  return made;
}

const nobody: Claimed = { orders: [], customers: [] };

/** A basket: one to four orders of one customer. */
function placeOrder(shop: Shop): Transaction | undefined {
  const purchaser = shop.customers.any();
  if (purchaser === undefined || shop.products.length === 0) return undefined;
  const lines = shop.random.between(1, 4);
  return {
    sql: inTransaction([insertOrders(shop, String(purchaser), lines)]),
    rows: lines,
    claimed: nobody,
  };
}

/** Somebody new, who orders at once. */
function registerCustomer(shop: Shop): Transaction | undefined {
  if (shop.products.length === 0) return undefined;
  const lines = shop.random.between(1, 2);
  return {
    sql: inTransaction([
      insertCustomer(shop),
      insertOrders(shop, "currval(pg_get_serial_sequence('inventory.customers', 'id'))", lines),
    ]),
    rows: lines + 1,
    claimed: nobody,
  };
}

function changeOrder(shop: Shop): Transaction | undefined {
  const order = shop.orders.take();
  if (order === undefined) return undefined;
  return { sql: setQuantity(shop, order), rows: 1, claimed: { ...nobody, orders: [order] } };
}

function cancelOrder(shop: Shop): Transaction | undefined {
  const order = shop.orders.take();
  if (order === undefined) return undefined;
  return { sql: deleteOrder(order), rows: 1, claimed: nobody };
}

/** One order is cancelled, another takes over its quantity, all at once or not at all. */
function swapOrder(shop: Shop): Transaction | undefined {
  const [gone, changed] = [shop.orders.take(), shop.orders.take()];
  if (gone === undefined || changed === undefined) {
    shop.orders.put([gone, changed].filter((id) => id !== undefined));
    return undefined;
  }
  return {
    sql: inTransaction([setQuantity(shop, changed), deleteOrder(gone)]),
    rows: 2,
    claimed: { ...nobody, orders: [changed] },
  };
}

function moveCustomer(shop: Shop): Transaction | undefined {
  const customer = shop.customers.take();
  if (customer === undefined) return undefined;
  return {
    sql: `UPDATE inventory.customers SET city = ${text(shop.random.pick(cities))} WHERE id = ${customer}`,
    rows: 1,
    claimed: { ...nobody, customers: [customer] },
  };
}

function inTransaction(statements: readonly string[]): string {
  return statements.length === 1 ? (statements[0] as string) : ["BEGIN", ...statements, "COMMIT"].join(";\n");
}

function insertOrders({ random, products }: Shop, purchaser: string, lines: number): string {
  const rows = Array.from({ length: lines }, () => {
    // Most orders are of today; some are entered late.
    const daysAgo = random.next() < 0.8 ? 0 : random.between(1, 30);
    return `(current_date - ${daysAgo}, ${purchaser}, ${quantity(random)}, ${random.pick(products)})`;
  });
  return `INSERT INTO inventory.orders (order_date, purchaser, quantity, product_id) VALUES ${rows.join(", ")} RETURNING id AS order_id`;
}

function insertCustomer(shop: Shop): string {
  shop.newCustomers += 1;
  const [first, last] = [shop.random.pick(firstNames), shop.random.pick(lastNames)];
  const email = `${first}.${last}.${shop.run}.${shop.newCustomers}@example.com`.toLowerCase();
  const city = shop.random.next() < 0.1 ? "NULL" : text(shop.random.pick(cities));
  return `INSERT INTO inventory.customers (first_name, last_name, email, city) VALUES (${text(first)}, ${text(last)}, ${text(email)}, ${city}) RETURNING id AS customer_id`;
}

function setQuantity({ random }: Shop, order: number): string {
  return `UPDATE inventory.orders SET quantity = ${quantity(random)} WHERE id = ${order}`;
}

function deleteOrder(order: number): string {
  return `DELETE FROM inventory.orders WHERE id = ${order}`;
}

/** Mostly a few, now and then many. */
function quantity(random: Random): number {
  return random.next() < 0.02 ? random.between(100, 900) : random.between(1, 9);
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

const firstNames = [
  "Ada",
  "Ben",
  "Chen",
  "Dana",
  "Elif",
  "Farid",
  "Greta",
  "Hugo",
  "Ines",
  "Jonas",
  "Kemal",
  "Lena",
];
const lastNames = [
  "Almeida",
  "Bauer",
  "Costa",
  "Demir",
  "Eriksen",
  "Fischer",
  "Garcia",
  "Horvat",
  "Moreau",
  "O'Neil",
];
const cities = [
  "Lisbon",
  "Lyon",
  "Leipzig",
  "Turin",
  "Gdansk",
  "Ghent",
  "Malmö",
  "Cork",
  "Bergen",
  "L'Aquila",
];
