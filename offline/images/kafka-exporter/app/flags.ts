/** What the command line asks for. */
export interface Settings {
  /** `host:port` of brokers to begin with. */
  readonly brokers: readonly string[];
  readonly topics: Filter;
  readonly groups: Filter;
  /** Whether groups without members show their offsets too. */
  readonly showAll: boolean;
  readonly listen: { readonly host: string | undefined; readonly port: number };
  readonly metricsPath: string;
  /** Added to every metric. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Tells by name what is collected; as in kafka_exporter, an expression may match anywhere in the name. */
export type Filter = (name: string) => boolean;

/** The flags of kafka_exporter that this stand-in honours, each with its default there. */
const valueFlags: Readonly<Record<string, string>> = {
  "kafka.server": "kafka:9092",
  "kafka.labels": "",
  "topic.filter": ".*",
  "topic.exclude": "^$",
  "group.filter": ".*",
  "group.exclude": "^$",
  "web.listen-address": ":9308",
  "web.telemetry-path": "/metrics",
};

/** Taken without effect: here every scrape asks Kafka anew, in the protocol version that the broker names. */
const idleFlags: readonly string[] = [
  "kafka.version",
  "refresh.metadata",
  "topic.workers",
  "verbosity",
  "log.level",
  "log.format",
];

const switches: Readonly<Record<string, boolean>> = {
  "offset.show-all": true,
  "concurrent.enable": false,
  "log.enable-sarama": false,
  "sasl.enabled": false,
  "sasl.handshake": true,
  "tls.enabled": false,
  "server.tls.enabled": false,
  "use.consumelag.zookeeper": false,
  "kafka.allow-auto-topic-creation": false,
};

/** What the real exporter can do and the stand-in cannot; switched off they may be named. */
const unsupported: readonly string[] = [
  "sasl.enabled",
  "tls.enabled",
  "server.tls.enabled",
  "use.consumelag.zookeeper",
];

/**
 * Reads kafka_exporter's command line: `--flag=value`, `--flag value`, `--switch`, `--no-switch`.
 * @throws Error for a flag that is not known, or that this stand-in cannot honour.
 */
export function parseFlags(args: readonly string[]): Settings {
  const { values, on } = read(args);
  const demanded = unsupported.find((name) => on[name]);
  if (demanded)
    throw new Error(`--${demanded}: the local image's exporter cannot do that; use the official image`);
  const text = (name: string) => values[name]?.at(-1) ?? valueFlags[name] ?? "";
  return {
    brokers: values["kafka.server"] ?? [valueFlags["kafka.server"] as string],
    topics: filter(text, "topic"),
    groups: filter(text, "group"),
    showAll: on["offset.show-all"] ?? true,
    listen: listenAddress(text("web.listen-address")),
    metricsPath: text("web.telemetry-path"),
    labels: labelsOf(text("kafka.labels")),
  };
}

interface Line {
  readonly values: Record<string, string[]>;
  readonly on: Record<string, boolean>;
}

function read(args: readonly string[]): Line {
  const line: Line = { values: {}, on: { ...switches } };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = "", value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    const positive = name.replace(/^no-/, "");
    if (value === undefined && positive in switches) {
      line.on[positive] = positive === name;
    } else if (name in valueFlags || idleFlags.includes(name)) {
      const given = value ?? rest.shift();
      if (given === undefined) throw new Error(`--${name}: a value must follow`);
      line.values[name] = [...(line.values[name] ?? []), given];
    } else {
      throw new Error(`${arg}: not a flag of the local image's kafka_exporter; it knows ${known()}`);
    }
  }
  return line;
}

function known(): string {
  return [...Object.keys(valueFlags), ...idleFlags, ...Object.keys(switches)]
    .map((name) => `--${name}`)
    .join(", ");
}

function filter(text: (name: string) => string, kind: "topic" | "group"): Filter {
  const wanted = expression(`${kind}.filter`, text(`${kind}.filter`));
  const unwanted = expression(`${kind}.exclude`, text(`${kind}.exclude`));
  return (name) => wanted.test(name) && !unwanted.test(name);
}

function expression(flag: string, source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new Error(`--${flag}=${source}: not a regular expression`);
  }
}

function listenAddress(text: string): Settings["listen"] {
  const [, host, port] = /^(.*):(\d+)$/.exec(text) ?? [];
  if (port === undefined)
    throw new Error(`--web.listen-address=${text}: must be host:port, or :port for all addresses`);
  return { host: host?.replace(/^\[(.*)\]$/, "$1") || undefined, port: Number(port) };
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair) => pair.split("="));
  return Object.fromEntries(pairs.filter(([name, value]) => name && value !== undefined));
}
