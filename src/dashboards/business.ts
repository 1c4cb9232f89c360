import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { board, numberChoice, type Section, sqlChoice } from "./board";
import { barChartPanel, piePanel, statPanel, tablePanel, timePanel } from "./panels";
import { clickhouse, sql, sqlOver } from "./queries";

/** What the captured orders say, asked of ClickHouse while they come in. */
export function business(): Dashboard {
  return board({
    uid: "cdc-business",
    title: "Business Analytics",
    description:
      "Orders of the demo shop in ClickHouse: over time, by product, by customer. The time range is that of order_date",
    // The demo's orders begin here; what npx cdc generate adds is of the last 30 days.
    time: { from: "2024-06-01T00:00:00.000Z", to: "now" },
    refresh: "1m",
    variables: [
      sqlChoice({
        name: "product",
        label: "Product",
        description: "Products by their id; the tables below have their names",
        query: "SELECT DISTINCT product_id FROM orders_current ORDER BY product_id",
        all: "0",
      }),
      numberChoice({
        name: "top",
        label: "Top",
        description: "How many products or customers the rankings show",
        values: [10, 5, 20, 50],
      }),
    ],
    sections: [total, overTime, revenue, products, customers, cancelled],
  });
}

const first = "toDate(toDateTime(intDiv($__from, 1000), 'UTC'))";
const last = "toDate(toDateTime(intDiv($__to, 1000), 'UTC'))";

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the dashboard, not of this file
const ids = "${product:csv}";

/** Ids begin at 1: with 0, which stands for all, the condition is a constant that ClickHouse leaves out. */
const ofProduct = `(0 IN (${ids}) OR product_id IN (${ids}))`;

/**
 * The orders as Postgres holds them now, with an order_date between two dates.
 *
 * The view `orders` resolves versions by FINAL over a table that is ordered by id. A condition on order_date alone would
 * have it read and resolve all rows: order_date is not in that table's key, and a row may only be judged after its
 * newest version is known. A condition on id is different: all versions of a row have the same id, so ClickHouse skips
 * the parts of the table that cannot match before it resolves anything. The change log orders_final is ordered by
 * order_date first and knows the ids of a range of dates from its own index: every order that is in the range now has
 * an event there with that order_date. Its smallest and largest id are enough, for orders of one time have ids of one
 * time; a list of ids would be exact, and for a wide range as long as the table. They only narrow the search: the
 * answer is right without them. Of 10 million orders in two parts, 30 days read 78 of 1,246 granules;
 * docs/decisions/business-queries.md has times.
 */
function ordersBetween(from: string, to: string): string {
  const seen = `FROM orders_final WHERE order_date BETWEEN ${from} AND ${to}`;
  return `orders
WHERE order_date BETWEEN ${from} AND ${to}
  AND id BETWEEN (SELECT min(id) ${seen}) AND (SELECT max(id) ${seen})
  AND ${ofProduct}`;
}

const orders = ordersBetween(first, last);

/** The change log, read by its own key, order_date, without FINAL: what came twice is counted once by its id. */
const log = `orders_final
WHERE order_date BETWEEN ${first} AND ${last}
  AND ${ofProduct}`;

/** Orders that were cancelled: the change log carries the deleted row. One whose id was changed is deleted there, too. */
const deletions = `${log}
  AND operation = 'd'`;

/** The newest day with orders in the range: what "lately" means, also when the demo's orders are long past. */
const newest = `(SELECT max(order_date) FROM orders_final WHERE order_date BETWEEN ${first} AND ${last})`;

/** First and last name; the id where there is no such customer any more. */
const customerName =
  "if(customers.id = 0, concat('customer ', toString(purchaser)), concat(customers.first_name, ' ', customers.last_name))";

/** Its name; the id where there is no such product any more. */
const productName = "if(products.id = 0, concat('product ', toString(product_id)), products.name)";

/** Quantities by product, with names and today's prices: joined after the sum, a row a product. */
const sold = `(
  SELECT product_id, sum(quantity) AS pieces
  FROM ${orders}
  GROUP BY product_id
) AS sold
LEFT JOIN products ON products.id = sold.product_id`;

const total: Section = {
  title: "In this time range",
  panels: [
    statPanel({
      title: "Orders",
      description:
        "Orders that exist now, their quantity, the customers who placed them, and what one order has on average. " +
        "Bad: 0 while the shop is open; look at CDC Pipeline Status.",
      datasource: clickhouse,
      queries: [
        sql(`SELECT
  count() AS orders,
  sum(quantity) AS pieces,
  uniqExact(purchaser) AS customers,
  round(sum(quantity) / greatest(count(), 1), 1) AS per_order
FROM ${orders}`),
      ],
      unit: "short",
      none: "none",
      width: 16,
    }),
    statPanel({
      title: "Cancelled",
      description:
        "Orders that were deleted in Postgres (or got another id), and their share of all that were ever placed, to about 1 %. Bad: a share " +
        "that is above what is usual for the shop.",
      datasource: clickhouse,
      queries: [
        sql(`SELECT
  uniqExactIf(id, operation = 'd') AS cancelled,
  cancelled / greatest(uniq(id), 1) AS share
FROM ${log}`),
      ],
      unit: "short",
      none: "none",
      width: 8,
      units: { share: "percentunit" },
    }),
  ],
};

// Dates in tables are text: Grafana would move a date into the browser's time zone, and so to another day.

const overTime: Section = {
  title: "Over time",
  panels: [
    timePanel({
      title: "Orders and quantity a day",
      description:
        "Orders by their date, and the pieces ordered; a day begins at midnight UTC. Bad: a day without orders between " +
        "days that have some, or pieces that fall while orders do not.",
      datasource: clickhouse,
      // Both in one query: over a wide range, resolving versions is what takes the time.
      queries: [
        sqlOver(`SELECT toDateTime(order_date, 'UTC') AS time, count() AS orders, sum(quantity) AS pieces
FROM ${orders}
GROUP BY time
ORDER BY time`),
      ],
      unit: "short",
      width: 24,
    }),
    tablePanel({
      title: "Day over day",
      description:
        "The last 14 days of the range up to the newest with orders, each with its change from the day before. Bad: a " +
        "fall that weekday and season do not explain. The last day may not be over.",
      datasource: clickhouse,
      // Days without orders are filled in, so that each is compared with the day before it. Where the range has no orders
      // at all, TO must still not be before FROM.
      queries: [
        sql(`WITH
  assumeNotNull(toDate32(${newest})) AS newest,
  greatest(newest - 13, toDate32(${first})) AS oldest
SELECT
  toString(day) AS date,
  orders,
  pieces,
  if(before = 0, NULL, (pieces - before) / before) AS change
FROM
(
  SELECT
    day,
    orders,
    pieces,
    lagInFrame(pieces, 1, 0) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
  FROM
  (
    SELECT
      toDate32(order_date) AS day,
      count() AS orders,
      toInt64(sum(quantity)) AS pieces
    FROM ${ordersBetween("oldest - 1", "newest")}
    GROUP BY day
    ORDER BY day WITH FILL FROM oldest - 1 TO greatest(newest + 1, oldest)
  )
)
WHERE day >= oldest
ORDER BY day DESC`),
      ],
      unit: "short",
      columns: { change: { unit: "percentunit", decimals: 1 } },
      width: 12,
      height: 9,
    }),
    timePanel({
      title: "Quantity a week, by product",
      description: "The products with the largest quantity in the range. Bad: one of them fades out.",
      datasource: clickhouse,
      queries: [
        sqlOver(`SELECT toDateTime(week, 'UTC') AS time, ${productName} AS product, pieces
FROM
(
  SELECT *, dense_rank() OVER (ORDER BY total DESC, product_id) AS place
  FROM
  (
    SELECT *, sum(pieces) OVER (PARTITION BY product_id) AS total
    FROM
    (
      SELECT toMonday(order_date) AS week, product_id, sum(quantity) AS pieces
      FROM ${orders}
      GROUP BY week, product_id
    )
  )
) AS ranked
LEFT JOIN products ON products.id = ranked.product_id
WHERE place <= \${top}
ORDER BY time, product`),
      ],
      unit: "short",
      stacked: true,
      width: 12,
      height: 9,
    }),
  ],
};

const products: Section = {
  title: "Products",
  panels: [
    barChartPanel({
      title: "Most ordered products",
      description:
        "Pieces ordered in the range. Bad: the order of the bars surprises those who know the shop.",
      datasource: clickhouse,
      queries: [
        sql(`SELECT ${productName} AS product, pieces
FROM ${sold}
ORDER BY pieces DESC, product_id
LIMIT \${top}`),
      ],
      x: "product",
      unit: "short",
      width: 12,
      height: 9,
    }),
    tablePanel({
      title: "Top movers",
      description:
        "Products whose quantity changed most: the newest 7 days with orders in the range against the 7 days before. " +
        "Bad: a large fall.",
      datasource: clickhouse,
      queries: [
        sql(`WITH ${newest} AS newest
SELECT ${productName} AS product, last_7_days, before, change, relative
FROM
(
  SELECT
    product_id,
    toInt64(sumIf(quantity, order_date > newest - 7)) AS last_7_days,
    toInt64(sumIf(quantity, order_date <= newest - 7)) AS before,
    last_7_days - before AS change,
    if(before = 0, NULL, change / before) AS relative
  FROM ${ordersBetween("newest - 13", "newest")}
  GROUP BY product_id
) AS moved
LEFT JOIN products ON products.id = moved.product_id
ORDER BY abs(change) DESC, product_id
LIMIT \${top}`),
      ],
      unit: "short",
      columns: {
        last_7_days: { title: "last 7 days" },
        before: { title: "7 days before" },
        relative: { title: "relative", unit: "percentunit", decimals: 0 },
      },
      width: 12,
      height: 9,
    }),
  ],
};

const customers: Section = {
  title: "Customers",
  panels: [
    tablePanel({
      title: "Best customers",
      description:
        "Customers with the largest quantity in the range. Bad: a name that is only an id; the customer was deleted.",
      datasource: clickhouse,
      // Joined after the ranking: a few rows look for their names, not all orders.
      queries: [
        sql(`SELECT ${customerName} AS customer, ifNull(customers.city, '') AS city, orders, pieces, last_order
FROM
(
  SELECT purchaser, count() AS orders, sum(quantity) AS pieces, toString(max(order_date)) AS last_order
  FROM ${orders}
  GROUP BY purchaser
  ORDER BY pieces DESC, purchaser
  LIMIT \${top}
) AS best
LEFT JOIN customers ON customers.id = best.purchaser
ORDER BY pieces DESC, customer`),
      ],
      unit: "short",
      columns: { last_order: { title: "last order" } },
      width: 12,
      height: 9,
    }),
    piePanel({
      title: "Quantity by city",
      description:
        "Where the customers live who ordered. Bad: much without a city; the shop does not ask for it.",
      datasource: clickhouse,
      // Summed up by customer first: the join then has a row a customer, not a row an order.
      queries: [
        sql(`SELECT ifNull(customers.city, 'no city') AS city, sum(bought.pieces) AS pieces
FROM
(
  SELECT purchaser, sum(quantity) AS pieces
  FROM ${orders}
  GROUP BY purchaser
) AS bought
LEFT JOIN customers ON customers.id = bought.purchaser
GROUP BY city
ORDER BY pieces DESC, city
LIMIT \${top}`),
      ],
      unit: "short",
      width: 12,
      height: 9,
    }),
  ],
};

const cancelled: Section = {
  title: "Cancelled orders",
  panels: [
    timePanel({
      title: "Cancelled orders a day",
      description:
        "Deleted orders, by the date for which they had been placed. Bad: more than the days around.",
      datasource: clickhouse,
      queries: [
        sqlOver(`SELECT toDateTime(order_date, 'UTC') AS time, uniqExact(id) AS cancelled
FROM ${deletions}
GROUP BY time
ORDER BY time`),
      ],
      unit: "short",
      bars: true,
      none: "none",
      width: 12,
    }),
    tablePanel({
      title: "Cancelled last",
      description:
        "The orders that were deleted last, with what they were. Bad: large quantities of one customer.",
      datasource: clickhouse,
      queries: [
        sql(`SELECT cancelled_at, id, toString(order_date) AS ordered, ${customerName} AS customer, product_id, quantity
FROM
(
  SELECT max(_committed_at) AS cancelled_at, id, order_date, purchaser, product_id, quantity
  FROM ${deletions}
  GROUP BY id, order_date, purchaser, product_id, quantity
  ORDER BY cancelled_at DESC, id
  LIMIT \${top}
) AS gone
LEFT JOIN customers ON customers.id = gone.purchaser
ORDER BY cancelled_at DESC, id`),
      ],
      unit: "none",
      columns: {
        cancelled_at: { title: "cancelled" },
        id: { title: "order" },
        product_id: { title: "product" },
      },
      none: "none",
      width: 12,
    }),
  ],
};

/** The table of orders holds no price: what is earned is counted at the price that a product has now. */
const revenue: Section = {
  title: "Revenue, at today's prices",
  panels: [
    statPanel({
      title: "Revenue",
      description:
        "Quantity times the product's price of today, and what one order brings on average. Bad: it falls while " +
        "quantity does not; cheaper products sell, or prices have fallen.",
      datasource: clickhouse,
      queries: [
        sql(`SELECT
  toFloat64(sum(pieces * products.price)) AS revenue,
  revenue / greatest(sum(orders), 1) AS per_order
FROM
(
  SELECT product_id, sum(quantity) AS pieces, count() AS orders
  FROM ${orders}
  GROUP BY product_id
) AS sold
LEFT JOIN products ON products.id = sold.product_id`),
      ],
      unit: "short",
      none: "none",
      width: 6,
      height: 9,
    }),
    timePanel({
      title: "Revenue a day",
      description: "Revenue by the orders' date. Bad: a day without between days that have some.",
      datasource: clickhouse,
      // Summed up by day and product first: the join then has a row for each of these, not one for each order.
      queries: [
        sqlOver(`SELECT toDateTime(order_date, 'UTC') AS time, toFloat64(sum(pieces * products.price)) AS revenue
FROM
(
  SELECT order_date, product_id, sum(quantity) AS pieces
  FROM ${orders}
  GROUP BY order_date, product_id
) AS sold
LEFT JOIN products ON products.id = sold.product_id
GROUP BY time
ORDER BY time`),
      ],
      unit: "short",
      width: 10,
      height: 9,
    }),
    tablePanel({
      title: "Revenue by product",
      description:
        "The products that bring most. Bad: a product without a name; it was deleted, and its orders count for nothing.",
      datasource: clickhouse,
      queries: [
        sql(`SELECT ${productName} AS product, pieces, toFloat64(products.price) AS price, pieces * price AS revenue
FROM ${sold}
ORDER BY revenue DESC, product
LIMIT \${top}`),
      ],
      unit: "short",
      columns: { price: { decimals: 2 } },
      width: 8,
      height: 9,
    }),
  ],
};
