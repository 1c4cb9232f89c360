import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import { messageOf, waitFor } from "../../../src/lib/retry";
import { bool, list, object, type Properties, set, string, type Values } from "../provider/schema";
import { Unfinished } from "./unfinished";

/** A Docker Engine and the credentials for pulling images. */
export interface Engine {
  readonly docker: Docker;
  /** By host name of the registry. */
  readonly credentials: ReadonlyMap<string, Credentials>;
  readonly unfinished: Unfinished;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

const configFile = "only username and password are";

/** The inputs of `pulumi:providers:docker`. */
export const engineConfig: Properties = {
  caMaterial: string(),
  certMaterial: string(),
  certPath: string(),
  context: string(),
  disableDockerDaemonCheck: bool(),
  host: string({ check: hostProblem }),
  keyMaterial: string(),
  registryAuth: set(
    object({
      address: string({ required: true }),
      authDisabled: bool(),
      configFile: string({ unsupported: configFile }),
      configFileContent: string({ unsupported: configFile }),
      password: string({ secret: true }),
      username: string(),
    }),
  ),
  sshOpts: list(string(), { unsupported: "it does not connect over SSH" }),
};

function hostProblem(host: string): string | undefined {
  return /^(unix|tcp|http|https):\/\//.test(host)
    ? undefined
    : `"${host}" is not supported by the stand-in; it takes unix://, tcp://, http:// and https://`;
}

/** @throws Error for an address that it cannot reach, wherever that comes from: files with passwords are sent there. */
export function connect(config: Values): Engine {
  const given = (name: string) => config[name] as string | undefined;
  const context = given("context") ?? process.env.DOCKER_CONTEXT;
  const host = context
    ? hostOfContext(context)
    : (given("host") ?? (process.env.DOCKER_HOST || "unix:///var/run/docker.sock"));
  const problem = hostProblem(host);
  if (problem) throw new Error(`the Docker Engine's address ${problem}`);
  const certPath = given("certPath") ?? process.env.DOCKER_CERT_PATH;
  const pem = (input: string, variable: string, file: string) =>
    given(input) || process.env[variable] || (certPath && fs.readFileSync(path.join(certPath, file), "utf8"));
  const tls = {
    ca: pem("caMaterial", "DOCKER_CA_MATERIAL", "ca.pem"),
    cert: pem("certMaterial", "DOCKER_CERT_MATERIAL", "cert.pem"),
    key: pem("keyMaterial", "DOCKER_KEY_MATERIAL", "key.pem"),
  };
  const docker = host.startsWith("unix://")
    ? new Docker({ socketPath: host.slice("unix://".length) })
    : new Docker({ ...remoteAddress(host, tls.cert !== undefined), ...tls } as Docker.DockerOptions);
  return { docker, credentials: credentialsOf(config), unfinished: new Unfinished(notesFolder()) };
}

/** Beside the plugins of the Pulumi home that this one was started from. */
function notesFolder(): string {
  return path.join(process.env.PULUMI_HOME ?? path.join(os.homedir(), ".pulumi"), "cdc-unfinished");
}

/** What the Docker Engine says went wrong. */
export function engineMessage(error: unknown): string {
  const { code, json } = error as { code?: string; json?: { message?: string } };
  if (code === "ECONNREFUSED" || code === "ENOENT" || code === "EACCES") {
    return `no Docker Engine answers (${messageOf(error)}); start it, or say where it is with DOCKER_HOST`;
  }
  return json?.message ?? messageOf(error);
}

export function hasStatus(error: unknown, ...codes: number[]): boolean {
  return codes.includes((error as { statusCode?: number }).statusCode ?? 0);
}

/** Runs one call to the engine; its failure reads `Unable to <what>: <what the engine says>`. */
export async function asking<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw Object.assign(new Error(`Unable to ${what}: ${engineMessage(error)}`, { cause: error }), {
      statusCode: (error as { statusCode?: number }).statusCode,
    });
  }
}

/** As `asking`, but undefined when the engine knows no such thing. */
export async function askingFor<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  return asking(what, async () => {
    try {
      return await call();
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  });
}

/** Removes something that may be in use for a moment longer; the official plugin waits as long. */
export async function removeWhenFree(
  what: string,
  remove: () => Promise<unknown>,
  isBusy: RegExp,
  signal: AbortSignal,
): Promise<void> {
  const attempt = async () => {
    try {
      await remove();
    } catch (error) {
      if (!hasStatus(error, 404)) throw new Error(engineMessage(error), { cause: error });
    }
    return true;
  };
  await waitFor(attempt, {
    what: `Unable to remove ${what}`,
    timeoutMs: 30_000,
    isFatal: (error) => signal.aborted || !isBusy.test(messageOf(error)),
  });
}

/** Labels are a set of `label` and `value` to the program, a map to the engine. */
export const labels = {
  property: object({
    label: string({ required: true, forceNew: true }),
    value: string({ required: true, forceNew: true }),
  }),
  toEngine: (values: unknown): Record<string, string> | undefined => {
    if (!Array.isArray(values)) return undefined;
    return Object.fromEntries(values.map(({ label, value }) => [label, value]));
  },
  fromEngine: (map: Readonly<Record<string, string>> | null | undefined) =>
    Object.entries(map ?? {}).map(([label, value]) => ({ label, value })),
};

/** Where the docker client keeps a context: a folder named after the digest of its name. */
function hostOfContext(name: string): string {
  if (name === "default") return "unix:///var/run/docker.sock";
  const digest = createHash("sha256").update(name).digest("hex");
  const file = path.join(os.homedir(), ".docker", "contexts", "meta", digest, "meta.json");
  if (!fs.existsSync(file)) throw new Error(`Docker context "${name}" not found; see docker context ls`);
  return JSON.parse(fs.readFileSync(file, "utf8")).Endpoints.docker.Host;
}

function remoteAddress(host: string, secure: boolean): Docker.DockerOptions {
  const url = new URL(host.replace(/^tcp:/, secure ? "https:" : "http:"));
  const protocol = url.protocol === "https:" ? "https" : "http";
  return { protocol, host: url.hostname, port: url.port || (protocol === "https" ? 2376 : 2375) };
}

function credentialsOf(config: Values): Engine["credentials"] {
  const given = (config.registryAuth ?? []) as Record<string, string | undefined>[];
  return new Map(
    given.flatMap(({ address = "", authDisabled, ...rest }) => {
      // A registry without authentication still wants to be sent some.
      const { username, password = "" } = authDisabled
        ? { username: "username", password: "password" }
        : rest;
      const host = address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
      return username ? [[host, { username, password, serveraddress: address }] as const] : [];
    }),
  );
}
