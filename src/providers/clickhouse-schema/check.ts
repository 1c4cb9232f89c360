import { type Failures, isText, type Raw, withDefaults } from "../check";
import { isUnknown } from "../unknown";
import type { ClickHouseSchemaInputs } from "./types";

/** Defaults of what may be left out. */
const defaults = { consumers: 1, managed: false, startTimeoutSeconds: 120 } as const;

/** The inputs with defaults, and what is wrong with them. Values that are not known yet are let through. */
export function checkInputs(news: Raw): { readonly inputs: Raw; readonly failures: Failures } {
  const inputs = withDefaults(news, defaults);
  const known = inputs as unknown as ClickHouseSchemaInputs;
  const failures: Failures = [];
  const demand = (property: string, isFine: () => boolean, reason: string) => {
    if (!isUnknown(inputs[property]) && !isFine())
      failures.push({ property, reason: `is ${shown(property, inputs[property])}; ${reason}` });
  };
  demand("url", () => /^https?:\/\/[^/]+/.test(String(known.url)), "must be like http://127.0.0.1:8123");
  for (const property of ["user", "brokers", "topicPrefix", "consumerGroup"])
    demand(property, () => isText(inputs[property]), "must be a text, not empty");
  demand("password", () => typeof known.password === "string", "must be a text");
  demand(
    "database",
    () => isText(known.database) && !["system", "information_schema"].includes(known.database.toLowerCase()),
    "must be a database's name, not one of ClickHouse's own",
  );
  demand("brokers", () => isText(known.brokers) && !known.brokers.includes("'"), "must be like kafka:9092");
  demand(
    "tables",
    () => Array.isArray(known.tables) && known.tables.length > 0,
    "must hold at least one captured table",
  );
  demand(
    "consumers",
    () => Number.isInteger(known.consumers) && known.consumers >= 1,
    "must be a whole number from 1 on",
  );
  demand(
    "startTimeoutSeconds",
    () => typeof known.startTimeoutSeconds === "number" && known.startTimeoutSeconds > 0,
    "must be a number of seconds",
  );
  return { inputs, failures };
}

function shown(property: string, value: unknown): string {
  return property === "password" ? "not one" : JSON.stringify(value);
}
