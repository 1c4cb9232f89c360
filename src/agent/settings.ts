/** What the agent is told about its surroundings: a JSON file, whose passwords are in files of their own. */
export interface AgentSettings {
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly passwordFile: string;
  };
  readonly clickhouse: {
    /** HTTP interface. */
    readonly url: string;
    readonly user: string;
    readonly passwordFile: string;
    readonly database: string;
  };
  readonly connect: {
    /** REST interface of Kafka Connect. */
    readonly url: string;
    readonly connector: string;
  };
  readonly slot: string;
  readonly tables: readonly AgentTable[];
  /** Seconds from one comparison of a table to the next, at least. */
  readonly comparisonSeconds: number;
  readonly containers: readonly AgentContainer[];
  /** Where the host's /sys/fs/cgroup is. */
  readonly cgroupRoot: string;
  /** Where the kernel's table of the host's network devices is. */
  readonly hostNetworkFile: string;
  /** The text of sql/postgres/catalog.sql. */
  readonly catalogSql: string;
}

export interface AgentTable {
  /** Qualified name in Postgres. */
  readonly source: string;
  /** Name in ClickHouse. */
  readonly target: string;
}

/** A service whose container is measured. */
export interface AgentContainer {
  readonly service: string;
  /** The cgroup under which its container is started, as in `cdc-kafka.slice`. */
  readonly cgroup: string;
}

/**
 * Reads the settings.
 * @throws Error that names everything that is wrong with them.
 */
export function parseSettings(text: string): AgentSettings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`the agent's settings are not JSON: ${(error as Error).message}`);
  }
  const problems = settings(value, "");
  if (problems.length > 0) throw new Error(`the agent's settings are wrong:\n  ${problems.join("\n  ")}`);
  return value as AgentSettings;
}

/** Says what is wrong with a value, each with the path to it; nothing when it is right. */
type Check = (value: unknown, path: string) => string[];

function check(what: string, isRight: (value: unknown) => boolean): Check {
  return (value, path) =>
    isRight(value)
      ? []
      : [
          `${path}: must be ${what}, ${value === undefined ? "is missing" : `not ${JSON.stringify(value).slice(0, 80)}`}`,
        ];
}

function listOf(item: Check): Check {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((one, index) => item(one, `${path}[${index}]`))
      : [`${path}: must be a list`];
}

function objectOf(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return [`${path || "the whole"}: must be an object`];
    const within = (name: string) => (path === "" ? name : `${path}.${name}`);
    const known = Object.entries(fields);
    return [
      ...known.flatMap(([name, field]) => field((value as Record<string, unknown>)[name], within(name))),
      ...Object.keys(value)
        .filter((name) => !(name in fields))
        .map((name) => `${within(name)}: there is no such setting`),
    ];
  };
}

const text = check("a text that is not empty", (value) => typeof value === "string" && value !== "");
const port = check(
  "a port, 1 to 65535",
  (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
);
const seconds = check(
  "a number of seconds above 0",
  (value) => typeof value === "number" && value > 0 && Number.isFinite(value),
);
const url = check(
  "a URL that begins with http:// or https://",
  (value) => typeof value === "string" && /^https?:\/\//.test(value) && URL.canParse(value),
);

const settings = objectOf({
  postgres: objectOf({ host: text, port, database: text, user: text, passwordFile: text }),
  clickhouse: objectOf({ url, user: text, passwordFile: text, database: text }),
  connect: objectOf({ url, connector: text }),
  slot: text,
  tables: listOf(objectOf({ source: text, target: text })),
  comparisonSeconds: seconds,
  containers: listOf(objectOf({ service: text, cgroup: text })),
  cgroupRoot: text,
  hostNetworkFile: text,
  catalogSql: text,
});
