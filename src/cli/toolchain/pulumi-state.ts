import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readIfThere } from "../../lib/files";
import { inState, projectRoot } from "../../lib/paths";

/** Where Pulumi keeps the stack's state, and with what its secrets are encrypted. */
export interface PulumiState {
  /** `own` is the user's: from the environment, or logged in to. */
  readonly backend: "own" | "local";
  /** For the user: what the backend is. */
  readonly where: string;
  /** The variables that choose it, beside those that the user has set. */
  readonly env: Readonly<Record<string, string>>;
}

/** What decides about the state. */
export interface StateSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of the credentials.json of the user's login; undefined without one. */
  readonly credentials: string | undefined;
  /** The folder that holds it. */
  readonly userHome: string;
  /** The PULUMI_HOME that will be used. */
  readonly home: string;
  /** Folder for a local backend. */
  readonly localState: string;
  /** File for a generated passphrase. */
  readonly passphraseFile: string;
}

/** Chooses the backend, and makes the local one and its passphrase where the user has none. */
export function ensureState(userHome: string, home: string): PulumiState {
  const sources = {
    env: process.env,
    credentials: readIfThere(path.join(process.env.PULUMI_CREDENTIALS_PATH ?? userHome, "credentials.json")),
    userHome,
    home,
    localState: path.resolve(inState("state")),
    passphraseFile: path.resolve(inState("passphrase")),
  };
  const state = chooseState(sources);
  if (state.backend === "local") fs.mkdirSync(sources.localState, { recursive: true, mode: 0o700 });
  if (state.env.PULUMI_CONFIG_PASSPHRASE_FILE === sources.passphraseFile)
    ensurePassphrase(sources.passphraseFile);
  return state;
}

/** The decision itself: the user's own backend and passphrase wherever there are any, else local ones. */
export function chooseState(sources: StateSources): PulumiState {
  const own = ownBackend(sources);
  const where = own ?? localUrl(sources);
  return {
    backend: own ? "own" : "local",
    where,
    env: {
      ...(own ? {} : { PULUMI_BACKEND_URL: where }),
      ...passphraseEnv(sources, where),
      ...credentialsEnv(sources),
    },
  };
}

function ownBackend(sources: StateSources): string | undefined {
  const { PULUMI_BACKEND_URL: url, PULUMI_ACCESS_TOKEN: token } = sources.env;
  // Set by `eval "$(npx cdc env)"`, not by the user.
  if (url && url !== localUrl(sources)) return url;
  if (url) return undefined;
  return loggedInTo(sources.credentials) ?? (token ? "Pulumi Cloud" : undefined);
}

function localUrl({ localState }: StateSources): string {
  return `file://${localState}`;
}

/** The backend of the user's login, as `pulumi login` notes it in credentials.json. */
function loggedInTo(credentials: string | undefined): string | undefined {
  if (!credentials) return undefined;
  try {
    const content = JSON.parse(credentials);
    // Encrypted with a key of the operating system's key ring: only the CLI can read which backend it is.
    if ("$pulumiSecureStore" in content) return "the backend of your Pulumi login";
    return content.current || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Folder of a backend on files, as Pulumi reads its URL (`massageBlobPath` in pkg/backend/diy): `file://~` is what
 * `pulumi login --local` notes. Undefined for any other backend.
 */
export function stateFolder({ where }: Pick<PulumiState, "where">): string | undefined {
  const place = /^file:\/\/([^?]*)/.exec(where)?.[1];
  return place === undefined ? undefined : path.resolve(projectRoot, place.replace(/^~/, os.homedir()));
}

/** Whether secrets are encrypted with the passphrase that was generated on this machine. */
export function hasGeneratedPassphrase({ env }: Pick<PulumiState, "env">): boolean {
  return "PULUMI_CONFIG_PASSPHRASE_FILE" in env;
}

/** Pulumi Cloud encrypts with a key of its own; every other backend wants a passphrase. */
function passphraseEnv(sources: StateSources, where: string): Record<string, string> {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = sources.env;
  if (PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE) {
    const ours =
      PULUMI_CONFIG_PASSPHRASE === undefined && PULUMI_CONFIG_PASSPHRASE_FILE === sources.passphraseFile;
    return ours ? { PULUMI_CONFIG_PASSPHRASE_FILE: sources.passphraseFile } : {};
  }
  if (!/^(file|s3|gs|azblob|postgres):/.test(where)) return {};
  return { PULUMI_CONFIG_PASSPHRASE_FILE: sources.passphraseFile };
}

/** With a PULUMI_HOME of ours the login must still be found where the user made it. */
function credentialsEnv({ env, credentials, userHome, home }: StateSources): Record<string, string> {
  if (home === userHome || !credentials || env.PULUMI_CREDENTIALS_PATH) return {};
  return { PULUMI_CREDENTIALS_PATH: userHome };
}

/** Made once; what is encrypted with it can't be read without it. */
function ensurePassphrase(file: string): void {
  try {
    fs.writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/**
 * Takes out of a stack's settings (Pulumi.<stack>.yaml, which is in Git) the salt that Pulumi puts there: it goes with
 * this machine's generated passphrase, and whoever committed it would lock everybody else out. State keeps a copy,
 * from which Pulumi works as well. A file with encrypted values is left as it is: they need their salt.
 */
export function dropSalt(stackFile: string): void {
  const before = readIfThere(stackFile);
  if (before === undefined || /^\s+(- )?secure:/m.test(before)) return;
  const after = before.replace(/^encryptionsalt:.*\n?/m, "");
  if (after !== before) fs.writeFileSync(stackFile, after);
}
