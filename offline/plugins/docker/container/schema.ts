import { isSameSet } from "../../provider/diff";
import {
  atLeast,
  bool,
  int,
  list,
  map,
  matching,
  object,
  type Properties,
  type Property,
  set,
  string,
} from "../../provider/schema";
import { labels } from "../engine";
import { parseDuration } from "./units";

const forceNew = { forceNew: true } as const;
const required = { required: true, forceNew: true } as const;
const computed = { forceNew: true, computed: true } as const;
const sum = { check: atLeast(0) } as const;

/** An empty text leaves it to the image. */
const emptyIsNothing = { same: (state: unknown, input: unknown) => !input || input === state } as const;

const duration = string({
  default: "0s",
  check: (text: string) => {
    const parsed = parseDuration(text);
    if (parsed === undefined) return `"${text}" is not a duration such as 10s, 1m30s or 500ms`;
    return parsed < 0 ? `"${text}" is negative` : undefined;
  },
});

const throttle = set(object({ path: string({ required: true }), rate: int({ required: true, ...sum }) }));

const port = object({
  external: int(computed),
  internal: int(required),
  ip: string({
    forceNew: true,
    default: "0.0.0.0",
    same: (state, input) => input === "" && state === "0.0.0.0",
  }),
  protocol: string({ forceNew: true, default: "tcp" }),
});

/** Published ports come back from the engine ordered by number. */
const ports: Property = list(port, {
  forceNew: true,
  same: (state, input) =>
    Array.isArray(state) && Array.isArray(input) && isSameSet({ type: "set", element: port }, state, input),
});

/**
 * What a container takes and gives. Traits: resource_docker_container.go of terraform-provider-docker. Some look
 * like oversights (a changed healthcheck, tmpfs or mount changes the state and not the container), and stay: a
 * program must come out right with the official plugin.
 */
export const properties: Properties = {
  attach: bool({ default: false }),
  bridge: string({ output: true }),
  capabilities: object({ adds: set(string(), forceNew), drops: set(string(), forceNew) }, forceNew),
  cgroupParent: string(forceNew),
  cgroupnsMode: string({ forceNew: true, check: matching(/^(private|host)?$/) }),
  command: list(string(), {
    ...computed,
    check: (words: unknown[]) => (words.includes("") ? "a word of a command may not be empty" : undefined),
  }),
  containerLogs: string({ output: true }),
  containerReadRefreshTimeoutMilliseconds: int({ default: 15000 }),
  cpuPeriod: int(sum),
  cpuQuota: int(sum),
  cpuSet: string({ check: matching(/^\d+([,-]\d+)*$/) }),
  cpuShares: int(sum),
  cpus: string({ forceNew: true, check: matching(/^\d+(\.\d{1,9})?$/) }),
  destroyGraceSeconds: int(),
  deviceCgroupRules: set(string(), forceNew),
  deviceReadBps: throttle,
  deviceReadIops: throttle,
  deviceRequests: set(
    object({
      capabilities: set(string(), forceNew),
      count: int({ forceNew: true, default: 0 }),
      deviceIds: set(string(), forceNew),
      driver: string({ forceNew: true, default: "cdi" }),
      options: map(forceNew),
    }),
    forceNew,
  ),
  deviceWriteBps: throttle,
  deviceWriteIops: throttle,
  devices: set(
    object({
      containerPath: string(forceNew),
      hostPath: string(required),
      permissions: string({ forceNew: true, default: "rwm" }),
    }),
    forceNew,
  ),
  dns: set(string(), forceNew),
  dnsOpts: set(string(), forceNew),
  dnsSearches: set(string(), forceNew),
  domainname: string(forceNew),
  entrypoints: list(string(), computed),
  envs: set(string(), computed),
  exitCode: int({ output: true }),
  gpus: string({ forceNew: true, check: matching(/^(all|device=[^,]+(,[^,]+)*)$/) }),
  groupAdds: set(string(), forceNew),
  healthcheck: object(
    {
      interval: duration,
      retries: int({ default: 0, ...sum }),
      startInterval: duration,
      startPeriod: duration,
      tests: list(string()),
      timeout: duration,
    },
    { computed: true },
  ),
  hostname: string(computed),
  hosts: set(object({ host: string(required), ip: string(required) }), forceNew),
  image: string(required),
  init: bool({ computed: true }),
  ipcMode: string(computed),
  labels: set(labels.property, computed),
  logDriver: string(computed),
  logOpts: map(forceNew),
  logs: bool({ default: false }),
  maxRetryCount: int(),
  memory: int(sum),
  memoryReservation: int({ default: 0, ...sum }),
  memorySwap: int({ check: atLeast(-1) }),
  mounts: set(
    object({
      bindOptions: object({
        propagation: string({ check: matching(/^(private|rprivate|shared|rshared|slave|rslave)$/) }),
      }),
      readOnly: bool(),
      source: string(),
      target: string({ required: true }),
      tmpfsOptions: object({ mode: int(), sizeBytes: int() }, forceNew),
      type: string({ required: true, check: matching(/^(bind|volume|tmpfs)$/) }),
      volumeOptions: object({
        driverName: string(),
        driverOptions: map(),
        labels: set(labels.property),
        noCopy: bool(),
        subpath: string(forceNew),
      }),
    }),
    forceNew,
  ),
  mustRun: bool({ default: true }),
  name: string(forceNew),
  networkDatas: list(
    object({
      gateway: string(),
      globalIpv6Address: string(),
      globalIpv6PrefixLength: int(),
      ipAddress: string(),
      ipPrefixLength: int(),
      ipv6Gateway: string(),
      macAddress: string(),
      networkName: string(),
    }),
    { output: true },
  ),
  networkMode: string({ forceNew: true, default: "bridge" }),
  networksAdvanced: set(
    object({
      aliases: set(string(), forceNew),
      driverOpts: set(string(), forceNew),
      gwPriority: int({ forceNew: true, ...sum }),
      ipv4Address: string(forceNew),
      ipv6Address: string(forceNew),
      linkLocalIps: set(string(), forceNew),
      macAddress: string(forceNew),
      name: string(required),
    }),
    forceNew,
  ),
  pidMode: string(forceNew),
  platform: string(computed),
  ports,
  privileged: bool(forceNew),
  publishAllPorts: bool(forceNew),
  readOnly: bool({ forceNew: true, default: false }),
  removeVolumes: bool({ default: true }),
  restart: string({ default: "no", check: matching(/^(no|on-failure|always|unless-stopped)$/) }),
  rm: bool({ default: false }),
  runtime: string(computed),
  securityOpts: set(string(), computed),
  shmSize: int({ ...computed, ...sum }),
  start: bool({ default: true }),
  stdinOpen: bool({ forceNew: true, default: false }),
  stopSignal: string(computed),
  stopTimeout: int(computed),
  storageOpts: map(forceNew),
  sysctls: map(forceNew),
  tmpfs: map(),
  tty: bool({ forceNew: true, default: false }),
  ulimits: set(object({ hard: int(required), name: string(required), soft: int(required) }), forceNew),
  uploads: set(
    object({
      content: string(forceNew),
      contentBase64: string({
        forceNew: true,
        check: (text: string) => (isBase64(text) ? undefined : "it is not Base64"),
      }),
      executable: bool({ forceNew: true, default: false }),
      file: string(required),
      group: string(forceNew),
      owner: string(forceNew),
      permissions: string({ forceNew: true, check: matching(/^0[0-7]{3}$/) }),
      source: string(forceNew),
      sourceHash: string(forceNew),
    }),
    forceNew,
  ),
  user: string({ forceNew: true, ...emptyIsNothing }),
  usernsMode: string(forceNew),
  volumes: set(
    object({
      containerPath: string(forceNew),
      fromContainer: string(forceNew),
      hostPath: string({ forceNew: true, check: matching(/^[a-zA-Z]:[\\/]|^\//) }),
      readOnly: bool(forceNew),
      selinuxRelabel: string({ forceNew: true, check: matching(/^[zZ]$/) }),
      volumeName: string(forceNew),
    }),
    forceNew,
  ),
  wait: bool({ default: false }),
  waitTimeout: int({ default: 60 }),
  workingDir: string({ forceNew: true, ...emptyIsNothing }),
};

function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}
