import { type Failures, isText, type Raw, withDefaults } from "../check";
import { isUnknown } from "../unknown";
import type { Credentials, PostgresSourceInputs } from "./types";

/** Defaults of what may be left out. */
const defaults = {
  ssl: "off",
  replicaIdentityFull: "auto",
  publication: "cdc_publication",
  slot: "cdc_slot",
  managed: false,
  startTimeoutSeconds: 120,
  statementTimeoutSeconds: 60,
} as const;

/** The inputs with defaults, and what is wrong with them. Values that are not known yet are let through. */
export function checkInputs(news: Raw): { readonly inputs: Raw; readonly failures: Failures } {
  const inputs = withDefaults(news, defaults);
  const known = inputs as unknown as PostgresSourceInputs;
  const failures: Failures = [];
  const demand = (property: string, isFine: () => boolean, reason: string) => {
    if (!isUnknown(inputs[property]) && !isFine()) failures.push({ property, reason });
  };
  for (const property of ["host", "database", "adminUser", "adminPassword"]) {
    demand(property, () => isText(inputs[property]), "must be a text, not empty");
  }
  demand(
    "port",
    () => Number.isInteger(known.port) && known.port > 0 && known.port < 65536,
    "must be a port number",
  );
  demand(
    "ssl",
    () => ["off", "require", "verify-full"].includes(String(known.ssl)),
    `is ${JSON.stringify(known.ssl)}; allowed are "off", "require", "verify-full"`,
  );
  demand(
    "slot",
    () => /^[a-z0-9_]{1,63}$/.test(known.slot),
    `is "${known.slot}"; a slot's name has lower-case letters, digits and _, at most 63`,
  );
  demand(
    "publication",
    () => /^[^"]{1,63}$/.test(known.publication),
    `is "${known.publication}"; at most 63 characters`,
  );
  for (const property of ["connector", "exporter", "agent", "app"] as const) {
    if (property === "connector" || inputs[property] !== undefined)
      failures.push(...roleFailures(property, inputs[property]));
  }
  failures.push(...distinctRoleFailures(inputs), ...tableFailures(inputs));
  return { inputs, failures };
}

function roleFailures(property: string, value: unknown): Failures {
  if (isUnknown(value) && (typeof value !== "object" || value === null)) return [];
  const { user, password } = (value ?? {}) as Partial<Credentials>;
  const failures: Failures = [];
  if (
    !isUnknown(user) &&
    (typeof user !== "string" || !/^[^"]{1,63}$/.test(user) || user.startsWith("pg_"))
  ) {
    failures.push({
      property,
      reason: `user ${JSON.stringify(user)} cannot be a role's name: at most 63 characters, not beginning with pg_`,
    });
  }
  if (!isUnknown(password) && (typeof password !== "string" || !/^[\x20-\x7e]{1,}$/.test(password))) {
    failures.push({ property, reason: "the password must be printable ASCII, not empty" });
  }
  return failures;
}

function distinctRoleFailures(inputs: Raw): Failures {
  const users = ["adminUser", "connector", "exporter", "agent", "app"].flatMap((property) => {
    const value = inputs[property];
    const user = typeof value === "string" ? value : (value as Partial<Credentials> | undefined)?.user;
    return user === undefined || isUnknown(user) ? [] : [{ property, user }];
  });
  return users
    .filter(({ user }, index) => users.findIndex((other) => other.user === user) < index)
    .map(({ property, user }) => ({
      property,
      reason: `role "${user}" is used twice; each part needs a role of its own`,
    }));
}

function tableFailures(inputs: Raw): Failures {
  const { tables, orderBy, replicaIdentityFull } = inputs;
  if (isUnknown(tables)) return [];
  if (!Array.isArray(tables) || tables.length === 0)
    return [{ property: "tables", reason: "must name at least one table" }];
  const failures: Failures = [];
  const malformed = tables.filter(
    (table) => typeof table !== "string" || !/^[^."]{1,63}\.[^."]{1,63}$/.test(table),
  );
  if (malformed.length > 0) {
    failures.push({
      property: "tables",
      reason: `${malformed.map((table) => JSON.stringify(table)).join(", ")}: a table is named with its schema, as in "inventory.orders"`,
    });
  }
  const twice = tables.filter((table, index) => tables.indexOf(table) < index);
  if (twice.length > 0) failures.push({ property: "tables", reason: `named twice: ${twice.join(", ")}` });
  const own = tables.filter((table) => String(table).startsWith("cdc."));
  if (own.length > 0) {
    failures.push({
      property: "tables",
      reason: `${own.join(", ")}: the schema cdc is the pipeline's own and is not captured`,
    });
  }
  const mustBeCaptured = (property: string, names: readonly unknown[]) => {
    const strangers = names.filter((name) => !tables.includes(name));
    if (strangers.length > 0) {
      failures.push({
        property,
        reason: `${strangers.join(", ")}: not among the captured tables (${tables.join(", ")})`,
      });
    }
  };
  if (Array.isArray(replicaIdentityFull) && !isUnknown(replicaIdentityFull)) {
    mustBeCaptured("replicaIdentityFull", replicaIdentityFull);
  } else if (replicaIdentityFull !== "auto" && !isUnknown(replicaIdentityFull)) {
    failures.push({ property: "replicaIdentityFull", reason: 'must be "auto" or a list of tables' });
  }
  if (orderBy !== undefined && !isUnknown(orderBy)) mustBeCaptured("orderBy", Object.keys(orderBy as object));
  return failures;
}
