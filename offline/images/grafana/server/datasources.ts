import * as fs from "node:fs";
import { parse } from "yaml";

export type DataSourceKind = "prometheus" | "clickhouse" | "alertmanager";

/** A data source of Grafana's provisioning file, as far as the page asks it. */
export interface DataSource {
  readonly uid: string;
  readonly name: string;
  readonly kind: DataSourceKind;
  /** Without a slash at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of Prometheus: seconds between two scrapes, where the file says it. */
  readonly scrapeSeconds?: number;
}

/** By Grafana's name of the plugin. */
const kinds: Readonly<Record<string, DataSourceKind>> = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  "grafana-clickhouse-datasource": "clickhouse",
};

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}

const thisProcess: Surroundings = {
  env: process.env,
  readFile: (path) => fs.readFileSync(path, "utf8"),
};

/**
 * The data sources of a provisioning file. Those of other kinds are left out: the page cannot ask them.
 * @throws Error for a file that cannot be read.
 */
export function readDataSources(yaml: string, surroundings: Surroundings = thisProcess): DataSource[] {
  const { datasources = [] } = (parse(yaml) ?? {}) as { datasources?: Record<string, unknown>[] };
  return datasources.flatMap((source) => {
    const kind = kinds[String(source.type)];
    return kind ? [dataSource(kind, expanded(source, surroundings) as Provisioned)] : [];
  });
}

interface Provisioned {
  readonly uid: string;
  readonly name: string;
  readonly url?: string;
  readonly jsonData?: Readonly<Record<string, string | number | boolean>>;
  readonly secureJsonData?: Readonly<Record<string, string>>;
}

function dataSource(
  kind: DataSourceKind,
  { uid, name, url, jsonData, secureJsonData }: Provisioned,
): DataSource {
  if (kind !== "clickhouse") {
    const [, scrapeSeconds] = /^(\d+)s$/.exec(String(jsonData?.timeInterval)) ?? [];
    return {
      uid,
      name,
      kind,
      url: (url ?? "").replace(/\/+$/, ""),
      headers: {},
      ...(scrapeSeconds && { scrapeSeconds: Number(scrapeSeconds) }),
    };
  }
  return {
    uid,
    name,
    kind,
    url: `${jsonData?.secure ? "https" : "http"}://${jsonData?.host}:${jsonData?.port}`,
    headers: {
      "X-ClickHouse-User": String(jsonData?.username ?? "default"),
      "X-ClickHouse-Key": secureJsonData?.password ?? "",
      "X-ClickHouse-Database": String(jsonData?.defaultDatabase ?? "default"),
      "X-ClickHouse-Format": "JSON",
    },
  };
}

function expanded(value: unknown, surroundings: Surroundings): unknown {
  if (typeof value === "string") return expand(value, surroundings);
  if (Array.isArray(value)) return value.map((item) => expanded(item, surroundings));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expanded(item, surroundings)]));
}

/**
 * Fills in what Grafana fills in: `$__file{path}`, `$__env{NAME}`, `${NAME}`, `$NAME`; `$$` is a dollar sign. What is
 * not set is empty.
 */
export function expand(text: string, { env, readFile }: Surroundings): string {
  return text.replace(
    /\$\$|\$__file\{([^}]+)\}|\$__env\{([^}]+)\}|\$\{(\w+)\}|\$([A-Za-z_]\w*)/g,
    (whole, file?: string, name?: string, braced?: string, bare?: string) => {
      if (whole === "$$") return "$";
      if (file !== undefined) return readFile(file).trim();
      return env[name ?? braced ?? bare ?? ""] ?? "";
    },
  );
}
