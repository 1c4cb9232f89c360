import { isIP } from "node:net";
import { z } from "zod";
import { type ServiceName, serviceNames } from "./images";
import { editDistance } from "./lib/near";
import type { TableSettings } from "./tables";

/** The namespace of this project's settings in `Pulumi.<stack>.yaml`: the project's name in Pulumi.yaml. */
export const configNamespace = "cdc";

const port = z.int().min(1).max(65535);
const mebibytes = z.int().min(32);

/** Ports on the host, one a service; `clickhouse-tcp` is ClickHouse's native protocol. */
const defaultPorts = {
  postgres: 5432,
  kafka: 9092,
  connect: 8083,
  clickhouse: 8123,
  "clickhouse-tcp": 9000,
  "node-exporter": 9100,
  "postgres-exporter": 9187,
  "kafka-exporter": 9308,
  "clickhouse-exporter": 9116,
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
  kafdrop: 9001,
  portainer: 9443,
} as const satisfies Record<Exclude<ServiceName, "cdc-agent"> | "clickhouse-tcp", number>;

export type PublishedPort = keyof typeof defaultPorts;

/**
 * Memory limits in MiB. All services together use a third of their sum at rest; it is below the 8 GiB of the smallest
 * machine, so that none of them alone can take it down.
 */
const defaultMemory = {
  postgres: 1024,
  kafka: 1280,
  connect: 1280,
  clickhouse: 2048,
  "node-exporter": 64,
  "postgres-exporter": 96,
  "kafka-exporter": 160,
  "clickhouse-exporter": 160,
  "cdc-agent": 160,
  prometheus: 512,
  alertmanager: 96,
  grafana: 384,
  kafdrop: 384,
  portainer: 192,
} as const satisfies Record<ServiceName, number>;

/** Services that can be left out; the others are the pipeline itself. */
export const optionalServices = [
  "node-exporter",
  "postgres-exporter",
  "kafka-exporter",
  "clickhouse-exporter",
  "cdc-agent",
  "prometheus",
  "alertmanager",
  "grafana",
  "kafdrop",
  "portainer",
] as const satisfies readonly ServiceName[];

export type OptionalService = (typeof optionalServices)[number];

const identifier = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_]{0,62}$/,
    "lower-case letters, digits and _, at most 63 characters, no digit first",
  );

const qualifiedTable = z
  .string()
  .regex(/^[^."]{1,63}\.[^."]{1,63}$/, 'a table with its schema, as in "inventory.orders"');

const tableSettings = z
  .strictObject({
    table: qualifiedTable.describe('The table in Postgres, with its schema: "inventory.orders"'),
    target: identifier.optional().describe("Its name in ClickHouse; the table's own name by default"),
    orderBy: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Columns that lead the order key of the change log; the primary key by default"),
    columns: z
      .record(z.string(), z.string())
      .optional()
      .describe("ClickHouse types of single columns where the type contract's own choice is not wanted"),
    exclude: z.array(z.string()).optional().describe("Columns that are not captured"),
  })
  .describe("A captured table");

/** The captured tables of the demo database. Types and order of `orders` are the contract of the product (README). */
const demoTables: readonly TableSettings[] = [
  {
    table: "inventory.orders",
    orderBy: ["order_date", "id"],
    columns: {
      id: "UInt32",
      order_date: "Date",
      purchaser: "UInt32",
      quantity: "UInt16",
      product_id: "UInt32",
    },
  },
  { table: "inventory.customers" },
  // Orders have no price: it takes the products to tell what they bring.
  { table: "inventory.products" },
];

/** Settings of a service that are ours to set, each with what changes it; an empty text where nothing does. */
type OwnSettings = Readonly<Record<string, string>>;

/**
 * Debezium settings that others go by: tables, topics, slot, the generation that each event carries, and what the type
 * contract rests on (docs/type-contract.md); each with the setting that changes it for all.
 */
const ownDebeziumSettings: OwnSettings = {
  name: "cdc:connector.name",
  "topic.prefix": "cdc:connector.topicPrefix",
  "slot.name": "cdc:postgres.slot",
  "publication.name": "cdc:postgres.publication",
  "database.dbname": "cdc:postgres.database",
  "table.include.list": "cdc:tables",
  "column.exclude.list": "cdc:tables",
  transforms: "",
  "key.converter": "",
  "value.converter": "",
  "decimal.handling.mode": "",
  "time.precision.mode": "",
  "interval.handling.mode": "",
  "binary.handling.mode": "",
  "hstore.handling.mode": "",
  "unavailable.value.placeholder": "",
};

/**
 * Server settings of Postgres that others go by: its address and files in the container, WAL that holds logical changes,
 * and how passwords are stored, by which all clients log in.
 */
const ownPostgresSettings: OwnSettings = {
  port: "cdc:ports.postgres",
  listen_addresses: "cdc:bindAddress",
  unix_socket_directories: "",
  data_directory: "",
  config_file: "",
  hba_file: "",
  wal_level: "",
  max_slot_wal_keep_size: "cdc:postgres.maxSlotWalKeepSizeMb",
  password_encryption: "",
};

/**
 * Settings that are handed on to a service, by name. Numbers and booleans are taken too: `pulumi config set --path`
 * makes them of what looks like one.
 * @param spelled how a name is written in `own`, where the service takes several spellings.
 */
function furtherSettings(own: OwnSettings, spelled = (name: string) => name) {
  return z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .superRefine((settings, context) => {
      for (const [name, value] of Object.entries(settings)) {
        const instead = own[spelled(name)];
        if (instead !== undefined)
          context.addIssue({
            code: "custom",
            path: [name],
            input: value,
            message: `the rest of the stack goes by it, so it is not set here${instead ? `; set ${instead}` : ""}`,
          });
      }
    })
    .default({});
}

/** Everything that can be configured. The only place that knows names, defaults and limits. */
export const configSchema = z.strictObject({
  images: z
    .enum(["auto", "registry", "local"])
    .default("auto")
    .describe(
      "Where images come from: official ones from their registries, local ones built from packages, or whichever can be had",
    ),
  imageOverrides: z
    .partialRecord(z.enum(serviceNames), z.string().min(1))
    .default({})
    .describe("Other images for single services, e.g. from a mirror of your company: {postgres: …}"),
  bindAddress: z
    .string()
    .refine((text) => isIP(text) !== 0, "an IP address, such as 127.0.0.1 or 0.0.0.0")
    .default("127.0.0.1")
    .describe(
      "Address on which ports are published. Docker's published ports bypass host firewalls, and Kafka, Connect, Prometheus, Alertmanager, Kafdrop and the exporters have no login",
    ),
  ports: z
    .partialRecord(z.enum(Object.keys(defaultPorts) as [PublishedPort, ...PublishedPort[]]), port)
    .default({})
    .transform((ports) => ({ ...defaultPorts, ...ports }))
    .describe("Ports on the host, by service"),
  memory: z
    .partialRecord(z.enum(serviceNames), mebibytes)
    .default({})
    .transform((memory) => ({ ...defaultMemory, ...memory }))
    .describe("Memory limits in MiB, by service"),
  services: z
    .partialRecord(z.enum(optionalServices), z.boolean())
    .default({})
    .transform((services) => ({
      ...(Object.fromEntries(optionalServices.map((name) => [name, true])) as Record<
        OptionalService,
        boolean
      >),
      ...services,
    }))
    .describe("Optional services that are switched on or off, by name; all are on"),
  networkName: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/)
    .default("cdc-network")
    .describe("Name of the Docker network"),
  keepData: z
    .boolean()
    .default(false)
    .describe(
      "Whether the data volumes of Postgres, Kafka, ClickHouse, Prometheus and Alertmanager are protected: " +
        "`pulumi destroy` then refuses; `npm run down` keeps them, and so does `CDC_KEEP_DATA=1 pulumi destroy " +
        "--exclude-protected`, whose variable keeps the slot, topics and tables that are in them",
    ),
  startTimeoutSeconds: z
    .int()
    .min(10)
    .max(3600)
    .default(240)
    .describe("How long a service may take to become healthy"),
  tables: z
    .array(z.union([qualifiedTable.transform((table) => ({ table })), tableSettings]))
    .min(1)
    .default([...demoTables])
    .describe("Captured tables: names, or objects with settings"),
  postgres: z
    .strictObject({
      database: identifier.default("inventory").describe("The source database"),
      demo: z.boolean().default(true).describe("Whether a new database gets the demo schema `inventory`"),
      maxSlotWalKeepSizeMb: z
        .int()
        .min(64)
        .default(4096)
        .describe("WAL in MiB that a stalled slot may hold back before Postgres gives the slot up"),
      publication: identifier.default("cdc_publication").describe("Name of the publication"),
      slot: identifier.default("cdc_slot").describe("Name of the replication slot"),
      // As after `-c`: in small letters or large ones, with dashes or underscores.
      settings: furtherSettings(ownPostgresSettings, (name) =>
        name.toLowerCase().replaceAll("-", "_"),
      ).describe("Further server settings, as after `postgres -c`"),
    })
    .prefault({})
    .describe("The source"),
  kafka: z
    .strictObject({
      partitions: z
        .int()
        .min(1)
        .max(1000)
        .default(6)
        .describe("Partitions a topic. Another number is refused for a topic that exists: keys would move"),
      retentionHours: z.int().min(1).default(168).describe("How long events stay in Kafka"),
      heapMb: mebibytes.default(640).describe("Java heap of the broker in MiB"),
      advertisedHost: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Host name under which clients outside of the Docker network reach the broker; localhost by default, or " +
            "the bind address if it is another one",
        ),
    })
    .prefault({})
    .describe("The event stream"),
  connector: z
    .strictObject({
      name: z.string().min(1).default("postgres-connector").describe("Name of the connector"),
      topicPrefix: z
        .string()
        .regex(/^[a-zA-Z0-9_-]+$/)
        .default("postgres-server")
        .describe("First part of every topic's name"),
      heapMb: mebibytes.default(768).describe("Java heap of Kafka Connect in MiB"),
      settings: furtherSettings(ownDebeziumSettings).describe(
        "Further Debezium settings, laid over ours. Set secret ones with `pulumi config set --secret`: they are then secret in Pulumi's state as well, but Connect's REST API shows them",
      ),
    })
    .prefault({})
    .describe("Debezium"),
  clickhouse: z
    .strictObject({
      database: identifier.default("cdc").describe("Database of the captured tables"),
      consumerGroup: z.string().default("clickhouse-group").describe("Consumer group of the Kafka engine"),
      consumers: z
        .int()
        .min(1)
        .max(64)
        .default(1)
        .describe("Consumers a table, at most as many as a topic has partitions"),
    })
    .prefault({})
    .describe("The analytics database"),
  prometheus: z
    .strictObject({
      scrapeIntervalSeconds: z
        .int()
        .min(1)
        .max(15)
        .default(5)
        .describe("Seconds between two scrapes; rules look at one minute, which must hold four"),
      retentionDays: z.int().min(1).default(15).describe("Days that metrics are kept"),
    })
    .prefault({})
    .describe("Metrics"),
  agent: z
    .strictObject({
      comparisonSeconds: z
        .int()
        .min(5)
        .max(600)
        .default(60)
        .describe(
          "Seconds from one comparison of a table's rows on both sides to the next; more where one takes long: the " +
            "agent compares a tenth of the time at most",
        ),
    })
    .prefault({})
    .describe("The pipeline's own watchman"),
  alerts: z
    .strictObject({
      runbooks: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe("URL at which people read docs/runbooks.md: messages link to it"),
      webhook: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          "URL that Alertmanager posts alerts to; where it holds a token, set it with `pulumi config set --secret`",
        ),
      slack: z
        .strictObject({
          channel: z.string().min(1).describe("Channel, as in #on-call"),
          webhookUrl: z
            .url({ protocol: /^https?$/ })
            .describe("URL of Slack's incoming webhook, a secret: set it with `pulumi config set --secret`"),
        })
        .optional()
        .describe("A Slack channel that gets the alerts: {channel, webhookUrl}"),
      email: z
        .strictObject({
          to: z.email().describe("Who gets the alerts"),
          from: z.email().describe("The sender"),
          smarthost: z
            .string()
            .regex(/^[^:]+:\d+$/, "host and port, as in smtp.example.com:587")
            .describe("Mail server, host:port"),
          user: z.string().min(1).optional().describe("User at the mail server"),
          password: z
            .string()
            .min(1)
            .optional()
            .describe("Password at the mail server: set it with `pulumi config set --secret`"),
          requireTls: z.boolean().default(true).describe("Whether mail is sent over TLS only"),
        })
        .optional()
        .describe("A mail address that gets the alerts: {to, from, smarthost, user, password, requireTls}"),
    })
    .prefault({})
    .describe(
      "Who is told of alerts; nobody by default: they are shown by Prometheus, Alertmanager and Grafana",
    ),
});

export type CdcConfig = z.output<typeof configSchema>;

/** A setting is missing, unknown or not allowed. The message lists every one of them. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Checks raw settings: a map of full key (`cdc:ports`) to value as Pulumi keeps it, structured values as JSON.
 * Keys of other namespaces are ignored, unless they look like a slip in ours.
 * @throws ConfigError that names each wrong key, its value, and what is allowed.
 */
export function parseConfig(raw: Readonly<Record<string, string>>): CdcConfig {
  const own = Object.entries(raw).flatMap(([key, value]) => {
    const [namespace, ...rest] = key.split(":");
    return namespace === configNamespace ? [[rest.join(":"), decode(value)] as const] : [];
  });
  const result = configSchema.safeParse(Object.fromEntries(own), { reportInput: true });
  const problems = [
    ...Object.keys(raw).flatMap(misspeltNamespace),
    ...(result.success
      ? contradictionsIn(result.data)
      : result.error.issues.flatMap((issue) => describeIssue(issue))),
  ];
  if (problems.length === 0 && result.success) return result.data;
  throw new ConfigError(
    [
      "the stack's configuration is not valid:",
      ...problems.map((problem) => `  - ${problem}`),
      "Change a setting with: pulumi config set --path 'cdc:SETTING' VALUE (or in Pulumi.<stack>.yaml); " +
        "the README lists all settings",
    ].join("\n"),
  );
}

/** Pulumi takes every namespace, as that of a package, and would not say that nobody reads it. */
function misspeltNamespace(key: string): string[] {
  const [namespace = "", ...rest] = key.split(":");
  const written = namespace.toLowerCase();
  // Two slips away are names of real packages: vcd, say. Two letters that have changed places are one slip.
  const isNear = editDistance(written, configNamespace) === 1 || sorted(written) === sorted(configNamespace);
  if (namespace === configNamespace || !isNear) return [];
  return [
    `${key}: nobody reads the namespace "${namespace}"; did you mean ${configNamespace}:${rest.join(":")}?`,
  ];
}

function sorted(text: string): string {
  return [...text].sort().join("");
}

function decode(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** One line for each thing that is wrong: which setting, what was found, what is allowed. */
function describeIssue(issue: z.core.$ZodIssue, parents: readonly PropertyKey[] = []): string[] {
  const path = [...parents, ...issue.path];
  const key = path.length === 0 ? configNamespace : `${configNamespace}:${path.join(".")}`;
  if (issue.code === "invalid_union") {
    // The branch that says most about the value: for an object the object's, for a text the text's.
    const branches = issue.errors.filter((branch) => !branch.some(isOtherKind));
    const branch = branches[0];
    if (branch) return branch.flatMap((inner) => describeIssue(inner, path));
    return [`${key}: not allowed: ${shown(issue.input)}`];
  }
  if (issue.code === "unrecognized_keys") {
    const allowed = settingsAt(path);
    return issue.keys.map(
      (name) =>
        `${key}: there is no setting "${name}" here${allowed ? `; there are: ${allowed.join(", ")}` : ""}`,
    );
  }
  // What is set there lets others post in our name.
  const found = path[0] === "alerts" ? "" : `; found ${shown(issue.input)}`;
  return [`${key}: ${issue.message}${found}`];
}

function isOtherKind(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** Names of the settings at a path of the schema; undefined where they can't be told. */
function settingsAt(path: readonly PropertyKey[]): readonly string[] | undefined {
  let at: z.core.$ZodType = configSchema;
  for (const part of path) {
    const next = childOf(unwrapped(at), part);
    if (!next) return undefined;
    at = next;
  }
  const object = unwrapped(at);
  if (object instanceof z.ZodObject) return Object.keys(object.shape);
  if (object instanceof z.ZodRecord && object.keyType instanceof z.ZodEnum)
    return object.keyType.options.map(String);
  return undefined;
}

function childOf(type: z.core.$ZodType, part: PropertyKey): z.core.$ZodType | undefined {
  if (type instanceof z.ZodObject) return type.shape[String(part)];
  if (type instanceof z.ZodArray) return type.element;
  if (type instanceof z.ZodUnion)
    return type.options.find((option) => unwrapped(option) instanceof z.ZodObject);
  return undefined;
}

/** The type behind defaults and transformations. */
export function unwrapped(type: z.core.$ZodType): z.core.$ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional)
    return unwrapped(type.unwrap());
  if (type instanceof z.ZodPipe) return unwrapped(type.in);
  if (type instanceof z.ZodUnion) {
    const object = type.options.find((option) => option instanceof z.ZodObject);
    return object ?? type;
  }
  return type;
}

/** What each setting alone allows, but all together do not. */
function contradictionsIn(config: CdcConfig): string[] {
  return [
    ...sharedPorts(config),
    ...repeated(config.tables.map(({ table }) => table)).map(
      (table) => `cdc:tables: ${table} is named twice; name it once`,
    ),
    ...repeated(config.tables.map((settings) => targetOf(settings))).map(
      (target) =>
        `cdc:tables: two tables would be called "${target}" in ClickHouse; give one of them another target`,
    ),
    ...(config.clickhouse.consumers > config.kafka.partitions
      ? [
          `cdc:clickhouse.consumers: ${config.clickhouse.consumers} is more than cdc:kafka.partitions ` +
            `(${config.kafka.partitions}); a consumer without a partition would do nothing`,
        ]
      : []),
    ...mailProblem(config),
    ...heapProblem("kafka", config.kafka.heapMb, config.memory.kafka),
    ...heapProblem("connector", config.connector.heapMb, config.memory.connect, "connect"),
  ];
}

/** The table's name in ClickHouse. */
function targetOf({ table, target }: TableSettings): string {
  return target ?? (table.split(".")[1] as string);
}

function sharedPorts({ ports, services }: CdcConfig): string[] {
  const used = Object.entries(ports).filter(([name]) => services[name as OptionalService] !== false);
  return used.flatMap(([name, number], index) => {
    const other = used.slice(0, index).find(([, taken]) => taken === number);
    return other ? [`cdc:ports.${name}: ${number} is the port of ${other[0]} too; choose another`] : [];
  });
}

function mailProblem({ alerts: { email } }: CdcConfig): string[] {
  if (!email || (email.user === undefined) === (email.password === undefined)) return [];
  return [
    `cdc:alerts.email: ${email.user === undefined ? "a password without a user" : "a user without a password"}; give both, or neither`,
  ];
}

function heapProblem(setting: string, heapMb: number, memoryMb: number, service = setting): string[] {
  // A JVM needs about a third beside its heap: code, threads, buffers.
  if (heapMb <= 0.75 * memoryMb) return [];
  return [
    `cdc:${setting}.heapMb: ${heapMb} is more than three quarters of cdc:memory.${service} (${memoryMb}); ` +
      "the container would be killed under load",
  ];
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) < index))];
}
