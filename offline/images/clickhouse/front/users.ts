import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIPv6 } from "node:net";
import { find, findAll, textAt } from "./config";
import { type Element, element } from "./xml";

/** A user of the HTTP interface, with what the engine is told for each of its queries. */
export interface User {
  readonly name: string;
  readonly passwords: readonly Password[];
  readonly networks: BlockList;
  /** The role that holds the user's rights in the engine. */
  readonly role: string;
  /** Settings of the profile, those that it inherits first; without `readonly`. */
  readonly settings: Readonly<Record<string, string>>;
  /** 0: everything; 1: reads only, no settings; 2: reads only. */
  readonly readonly: 0 | 1 | 2;
  /** Name of the profile, if it limits what settings may be changed to. */
  readonly constrainedBy?: string;
  readonly defaultDatabase?: string;
}

export interface Password {
  readonly kind: "plain" | "sha256" | "double_sha1" | "none";
  /** The password, or its hash in lower-case hex. */
  readonly value: string;
}

export interface UsersConfig {
  readonly users: ReadonlyMap<string, User>;
  /** The file that the engine reads in place of users.xml: roles instead of users. */
  readonly engine: Element;
}

/** Rights of a user without `<grants>`: all but reading and writing files of the container. */
export const fullRole = "front_full";

/**
 * Turns ClickHouse's users configuration into users that the front enforces and roles that the engine enforces.
 * The engine runs in-process as its one user `default`; each connection takes on the role of the HTTP user.
 * @throws Error for every setting of a user that could not be enforced: ignoring it would open a door.
 */
export function readUsers(config: Element): UsersConfig {
  const profiles = find(config, "profiles") ?? element("profiles", []);
  refuseQuotas(find(config, "quotas"));
  const users = (find(config, "users")?.children ?? []).map((user) => readUser(user, profiles));
  const grants = new Map(
    (find(config, "users")?.children ?? []).flatMap((user) => {
      const queries = findAll(find(user, "grants"), "query").map((query) => query.text.trim());
      return queries.length === 0 ? [] : [[roleName(user.name), queries] as const];
    }),
  );
  return {
    users: new Map(users.map((user) => [user.name, user])),
    engine: engineUsers(profiles, find(config, "roles"), grants),
  };
}

/** Whether the password is right. Takes equally long for a wrong password and for an unknown user. */
export function passwordMatches(user: User | undefined, password: string): boolean {
  const candidates = user?.passwords ?? [{ kind: "sha256", value: "" } as const];
  return candidates.filter((expected) => matches(expected, password)).length > 0 && user !== undefined;
}

/** Whether the user may come from this address. */
export function addressAllowed(user: User, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "");
  return user.networks.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

const knownKeys: ReadonlySet<string> = new Set([
  "password",
  "password_sha256_hex",
  "password_double_sha1_hex",
  "no_password",
  "networks",
  "profile",
  "quota",
  "default_database",
  "grants",
  "access_management",
  "named_collection_control",
  "show_named_collections",
  "show_named_collections_secrets",
]);

function readUser(user: Element, profiles: Element): User {
  for (const { name } of user.children)
    if (!knownKeys.has(name))
      throw new Error(
        `users.${user.name}.${name}: the local ClickHouse image cannot enforce it; ` +
          `it knows ${[...knownKeys].join(", ")}`,
      );
  const profileName = textAt(user, "profile") ?? "default";
  const profile = readProfile(profileName, profiles, `users.${user.name}.profile`);
  const { readonly = "0", ...settings } = profile.settings;
  if (!["0", "1", "2"].includes(readonly))
    throw new Error(`profiles.${profileName}.readonly is ${readonly}; it can be 0, 1 or 2`);
  return {
    name: user.name,
    passwords: readPasswords(user),
    networks: readNetworks(user),
    role: findAll(find(user, "grants"), "query").length > 0 ? roleName(user.name) : fullRole,
    settings,
    readonly: Number(readonly) as 0 | 1 | 2,
    constrainedBy: profile.constrained ? profileName : undefined,
    defaultDatabase: textAt(user, "default_database"),
  };
}

function roleName(user: string): string {
  return `user_${user}`;
}

function readPasswords(user: Element): readonly Password[] {
  const hash = (key: string, kind: Password["kind"], digits: number): Password[] =>
    findAll(user, key).map(({ text }) => {
      const value = text.trim().toLowerCase();
      if (!new RegExp(`^[0-9a-f]{${digits}}$`).test(value))
        throw new Error(`users.${user.name}.${key}: not ${digits} hexadecimal digits`);
      return { kind, value };
    });
  const passwords = [
    ...findAll(user, "password").map(({ text }): Password => ({ kind: "plain", value: text })),
    ...hash("password_sha256_hex", "sha256", 64),
    ...hash("password_double_sha1_hex", "double_sha1", 40),
    ...findAll(user, "no_password").map((): Password => ({ kind: "none", value: "" })),
  ];
  if (passwords.length === 0)
    throw new Error(
      `users.${user.name} has no way to log in; give it password_sha256_hex, password_double_sha1_hex, password or no_password`,
    );
  return passwords;
}

function readNetworks(user: Element): BlockList {
  const list = new BlockList();
  const networks = find(user, "networks");
  for (const { name, text } of networks?.children ?? []) {
    const value = text.trim();
    const at = `users.${user.name}.networks.${name}`;
    if (name !== "ip")
      throw new Error(`${at}: ${value}: the local ClickHouse image knows addresses (<ip>) only, no names`);
    addNetwork(list, value, at);
  }
  return list;
}

function addNetwork(list: BlockList, value: string, at: string): void {
  const [address = "", prefix] = value.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  try {
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
    // ClickHouse compares in IPv6, where ::/0 holds the IPv4 addresses too.
    if (value === "::/0") list.addSubnet("0.0.0.0", 0, "ipv4");
  } catch {
    throw new Error(`${at}: ${value} is no address and no network such as 10.0.0.0/8 or ::/0`);
  }
}

function readProfile(
  name: string,
  profiles: Element,
  from: string,
  seen: readonly string[] = [],
): { settings: Record<string, string>; constrained: boolean } {
  if (seen.includes(name)) throw new Error(`profiles: ${[...seen, name].join(" → ")} is a circle`);
  const profile = find(profiles, name);
  if (!profile) {
    const known = profiles.children.map((child) => child.name).join(", ") || "none";
    throw new Error(`${from}: there is no profile ${name}; profiles are ${known}`);
  }
  const result = { settings: {} as Record<string, string>, constrained: false };
  for (const { name: key, text, children } of profile.children) {
    if (key === "profile") {
      const parent = readProfile(text.trim(), profiles, `profiles.${name}.profile`, [...seen, name]);
      Object.assign(result.settings, parent.settings);
      result.constrained ||= parent.constrained;
    } else if (key === "constraints") result.constrained ||= children.length > 0;
    else result.settings[key] = text.trim();
  }
  return result;
}

function refuseQuotas(quotas: Element | undefined): void {
  for (const quota of quotas?.children ?? [])
    for (const interval of findAll(quota, "interval"))
      for (const { name, text } of interval.children)
        if (name !== "duration" && name !== "randomize" && !/^0*$/.test(text.trim()))
          throw new Error(
            `quotas.${quota.name}.interval.${name} is ${text.trim()}: the local ClickHouse image counts no quotas; ` +
              "only 0 (no limit) can be kept",
          );
}

function engineUsers(
  profiles: Element,
  roles: Element | undefined,
  grants: ReadonlyMap<string, readonly string[]>,
): Element {
  const ownRoles = [
    [fullRole, fullGrants],
    ["front_root", ["GRANT ALL ON *.* WITH GRANT OPTION"]],
    ...grants,
  ] as const;
  const grantsOf = (queries: readonly string[]) =>
    element(
      "grants",
      queries.map((query) => element("query", query)),
    );
  return element("clickhouse", [
    profiles,
    element("roles", [
      ...(roles?.children ?? []),
      ...ownRoles.map(([name, queries]) => element(name, [grantsOf(queries)])),
    ]),
    element("users", [
      element("default", [
        element("password"),
        element("networks", [element("ip", "::/0")]),
        element("profile", "default"),
        element("quota", "default"),
        grantsOf(ownRoles.map(([name]) => `GRANT ${name}`)),
      ]),
    ]),
    element("quotas", [element("default", [])]),
  ]);
}

/**
 * Everything that a user with full rights may do on a server, but for files: here they would be the container's own.
 * TABLE ENGINE is not among them: it would include the engine File, and the harmless engines need no grant.
 */
const fullGrants: readonly string[] = [
  "GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, CHECK, BACKUP, KILL QUERY, " +
    "MOVE PARTITION BETWEEN SHARDS, SYSTEM, dictGet, INTROSPECTION, CLUSTER, NAMED COLLECTION " +
    "ON *.* WITH GRANT OPTION",
  "GRANT READ, WRITE ON KAFKA, READ, WRITE ON POSTGRES, READ, WRITE ON URL, READ, WRITE ON REMOTE, " +
    "READ, WRITE ON S3, READ, WRITE ON MYSQL, READ, WRITE ON MONGO, READ, WRITE ON REDIS, READ, WRITE ON NATS, " +
    "READ, WRITE ON RABBITMQ, READ, WRITE ON AZURE, READ, WRITE ON HDFS, READ, WRITE ON ODBC, READ, WRITE ON JDBC, " +
    "READ, WRITE ON SQLITE, READ, WRITE ON HIVE WITH GRANT OPTION",
];

function matches({ kind, value }: Password, password: string): boolean {
  if (kind === "none") return true;
  return sameText(hashed(kind, value), hashed(kind === "plain" ? "plain" : kind, password, true));
}

function hashed(kind: Password["kind"], text: string, isPassword = false): string {
  if (kind === "plain") return digest("sha256", text);
  if (!isPassword) return text;
  return kind === "sha256"
    ? digest("sha256", text)
    : createHash("sha1").update(createHash("sha1").update(text).digest()).digest("hex");
}

function digest(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest("hex");
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
