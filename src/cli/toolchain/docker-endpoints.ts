import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { isIP } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import { messageOf } from "../../lib/retry";

/** A place at which a Docker Engine may answer. */
export interface Endpoint {
  /** As DOCKER_HOST wants it. */
  readonly host: string;
  /** What names it; undefined for the usual places, which are looked at only where nothing names one. */
  readonly chosenBy: string | undefined;
  /** How dockerode reaches it. */
  readonly options: Docker.DockerOptions | undefined;
  /** With these variables every other program reaches it too: docker, Pulumi's docker plugin. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ProbeResult {
  readonly endpoint: Endpoint;
  readonly state: "answers" | "denied" | "absent";
  /** Why it does not answer. */
  readonly why?: string;
}

/** The places to look at, by the rules of the docker command: DOCKER_HOST, the context, the usual sockets. */
export function endpoints(env: NodeJS.ProcessEnv, home = os.homedir()): readonly Endpoint[] {
  // Without options dockerode reads DOCKER_HOST and the variables about TLS by itself.
  if (env.DOCKER_HOST)
    return [{ host: env.DOCKER_HOST, chosenBy: "DOCKER_HOST", options: undefined, env: {} }];
  const context = contextEndpoint(env, home);
  if (context) return [context];
  const sockets = [
    usualSocket,
    env.XDG_RUNTIME_DIR && path.join(env.XDG_RUNTIME_DIR, "docker.sock"),
    path.join(home, ".docker", "run", "docker.sock"),
    path.join(home, ".colima", "default", "docker.sock"),
  ];
  return sockets.filter((socket): socket is string => Boolean(socket)).map(socketEndpoint);
}

/** Where everybody looks. */
const usualSocket = "/var/run/docker.sock";

function socketEndpoint(socketPath: string): Endpoint {
  const host = `unix://${socketPath}`;
  const env: Endpoint["env"] = socketPath === usualSocket ? {} : { DOCKER_HOST: host };
  return { host, chosenBy: undefined, options: { socketPath }, env };
}

/** The endpoint of `docker context use`, other than the default one. */
function contextEndpoint(env: NodeJS.ProcessEnv, home: string): Endpoint | undefined {
  const folder = env.DOCKER_CONFIG ?? path.join(home, ".docker");
  const name = env.DOCKER_CONTEXT ?? readJson(path.join(folder, "config.json"))?.currentContext;
  if (!name || name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const host = readJson(path.join(folder, "contexts", "meta", id, "meta.json"))?.Endpoints?.docker?.Host;
  const chosenBy = `the Docker context ${name}`;
  if (!host) return { host: "(nowhere)", chosenBy, options: { socketPath: "/nonexistent" }, env: {} };
  if (host.startsWith("unix://"))
    return { ...socketEndpoint(host.slice("unix://".length)), chosenBy, env: { DOCKER_HOST: host } };
  const { protocol, hostname, port, username } = new URL(host);
  const certificates = path.join(folder, "contexts", "tls", id, "docker");
  const tls = tlsOf(certificates);
  const options: Docker.DockerOptions = {
    protocol: protocol === "ssh:" ? "ssh" : tls ? "https" : "http",
    host: hostname,
    ...(port ? { port } : {}),
    ...(username ? { username } : {}),
    ...tls,
  };
  const tlsEnv: Endpoint["env"] = tls ? { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates } : {};
  return { host, chosenBy, options, env: { DOCKER_HOST: host, ...tlsEnv } };
}

/**
 * From now on all programs that are run use this engine. A context that is named by DOCKER_CONTEXT has said where it is
 * by then: Pulumi's docker plugin would go by its name before DOCKER_HOST, and knows neither the context `default` nor
 * DOCKER_CONFIG (pulumi-docker, provider.go).
 */
export function useEngine({ env }: Pick<Endpoint, "env">): void {
  Object.assign(process.env, env);
  if (process.env.DOCKER_HOST || process.env.DOCKER_CONTEXT === "default") delete process.env.DOCKER_CONTEXT;
}

/** The machine that an engine's address names; undefined for a socket, which is on this one. */
export function machineOf(host: string): string | undefined {
  if (/^(unix|npipe):/.test(host)) return undefined;
  // The docker command takes an address without a protocol, too.
  const { hostname } = new URL(host.includes("://") ? host : `tcp://${host}`);
  return hostname.replace(/^\[|\]$/g, "");
}

/** Whether an engine's address is one of this machine, where what is published on 127.0.0.1 is found. */
export function isHere(host: string): boolean {
  const machine = machineOf(host);
  const own = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return machine === undefined || isLoopback(machine) || own.some(({ address }) => address === machine);
}

/** Whether a name or an address means this machine wherever it is used. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && /^(127\.|0\.0\.0\.0$)/.test(host));
}

function tlsOf(folder: string): Pick<Docker.DockerOptions, "ca" | "cert" | "key"> | undefined {
  const read = (name: string) => fs.readFileSync(path.join(folder, name), "utf8");
  return fs.existsSync(folder)
    ? { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") }
    : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: files of Docker's, of which only single fields are looked at
function readJson(file: string): any {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Asks an engine for a sign of life. */
export async function probe(endpoint: Endpoint): Promise<ProbeResult> {
  try {
    const docker = new Docker({ ...endpoint.options, timeout: 5000 });
    await docker.ping();
    return { endpoint, state: "answers" };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return {
      endpoint,
      state: code === "EACCES" || code === "EPERM" ? "denied" : "absent",
      why: messageOf(error),
    };
  }
}
