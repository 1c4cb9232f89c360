import { type Failures, isText, type Raw, withDefaults } from "../check";
import { isUnknown } from "../unknown";
import type { DebeziumConnectorInputs, HeartbeatTarget } from "./types";

/** Defaults of what may be left out. */
const defaults = { managed: false, startTimeoutSeconds: 180 } as const;

const connectorClass = "io.debezium.connector.postgresql.PostgresConnector";

/** The inputs with defaults, and what is wrong with them. Values that are not known yet are let through. */
export function checkInputs(news: Raw): { readonly inputs: Raw; readonly failures: Failures } {
  const inputs = withDefaults(news, defaults);
  const known = inputs as unknown as DebeziumConnectorInputs;
  const failures: Failures = [];
  const demand = (property: string, isFine: () => boolean, reason: string) => {
    if (!isUnknown(inputs[property]) && !isFine()) failures.push({ property, reason });
  };
  demand(
    "url",
    () => isHttpUrl(known.url),
    "must be Kafka Connect's REST interface, as in http://127.0.0.1:8083",
  );
  demand(
    "connector",
    () => isText(known.connector) && /^[\w.-]+$/.test(known.connector),
    `is ${JSON.stringify(inputs.connector) ?? "missing"}; a connector's name has letters, digits, ".", "_" and "-"`,
  );
  demand(
    "startTimeoutSeconds",
    () => typeof known.startTimeoutSeconds === "number" && known.startTimeoutSeconds > 0,
    "must be a number of seconds",
  );
  demand(
    "generationSetting",
    () => known.generationSetting === undefined || isText(known.generationSetting),
    "must be the name of a setting",
  );
  failures.push(...settingsFailures(inputs), ...heartbeatFailures(inputs));
  return { inputs, failures };
}

function settingsFailures({ settings, connector, heartbeat }: Raw): Failures {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings))
    return isUnknown(settings) ? [] : [{ property: "settings", reason: "must be settings by name" }];
  const values = settings as Readonly<Record<string, unknown>>;
  const reasons: string[] = Object.entries(values)
    .filter(([, value]) => value !== undefined && typeof value !== "string")
    .map(([name, value]) => `${name} is ${JSON.stringify(value)}; Connect takes all values as text`);
  const demand = (name: string, isFine: (value: string | undefined) => boolean, rule: string) => {
    const value = values[name];
    if (isUnknown(value) || (value !== undefined && typeof value !== "string")) return;
    if (!isFine(value))
      reasons.push(`${name} is ${value === undefined ? "missing" : JSON.stringify(value)}; ${rule}`);
  };
  demand("connector.class", (value) => value === connectorClass, `it must be ${connectorClass}`);
  demand(
    "name",
    (value) => value === undefined || value === connector || isUnknown(connector),
    `the connector is called ${String(connector)}`,
  );
  for (const name of ["database.hostname", "database.dbname", "database.user"])
    demand(name, (value) => Boolean(value), "without it Debezium finds no database");
  demand(
    "topic.prefix",
    (value) => /^[\w.-]+$/.test(value ?? ""),
    'topics begin with it: letters, digits, ".", "_" and "-"',
  );
  demand(
    "slot.name",
    (value) => /^[a-z0-9_]{1,63}$/.test(value ?? ""),
    "a slot's name has lower-case letters, digits and _, at most 63",
  );
  demand(
    "slot.drop.on.stop",
    (value) => value === undefined || value === "false",
    "with it, every restart would lose what changes meanwhile; remove it",
  );
  demand(
    "tasks.max",
    (value) => value === undefined || value === "1",
    "a replication slot has one reader; remove it",
  );
  if (heartbeat !== undefined) {
    const rule = "the heartbeat that is waited for would never come";
    demand("heartbeat.interval.ms", (value) => Number(value) > 0, rule);
    demand("heartbeat.action.query", (value) => Boolean(value), rule);
  }
  return reasons.map((reason) => ({ property: "settings", reason }));
}

function heartbeatFailures({ heartbeat }: Raw): Failures {
  if (heartbeat === undefined) return [];
  if (typeof heartbeat !== "object" || heartbeat === null)
    return isUnknown(heartbeat)
      ? []
      : [{ property: "heartbeat", reason: "must be url, user, password, database" }];
  const { url, user, password, database } = heartbeat as Partial<HeartbeatTarget>;
  const reasons = [
    ...(isUnknown(url) || isHttpUrl(url)
      ? []
      : ["url must be ClickHouse's HTTP interface, as in http://127.0.0.1:8123"]),
    ...(isUnknown(user) || isText(user) ? [] : ["user is missing"]),
    ...(isUnknown(password) || typeof password === "string" ? [] : ["password is missing"]),
    ...(isUnknown(database) || isText(database) ? [] : ["database is missing"]),
  ];
  return reasons.map((reason) => ({ property: "heartbeat", reason }));
}

function isHttpUrl(value: unknown): boolean {
  return isText(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
