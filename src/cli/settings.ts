import { parse } from "yaml";
import { type CdcConfig, configNamespace, parseConfig } from "../config";
import { readIfThere } from "../lib/files";
import { inProject } from "../lib/paths";

/**
 * The stack's configuration, read from its file without Pulumi: a mistake in it is to be said before anything is
 * downloaded or built. The program itself reads it from the engine.
 * @throws ConfigError that names each wrong setting; Error where the file is there and can't be read.
 */
export function readSettings(stackName: string): CdcConfig {
  return parseConfig(rawSettings(readIfThere(inProject(`Pulumi.${stackName}.yaml`)) ?? ""));
}

/** Settings as the engine hands them to the program: full key to text, structured values as JSON. */
export function rawSettings(yaml: string): Record<string, string> {
  const entries = Object.entries((parse(yaml)?.config ?? {}) as Readonly<Record<string, unknown>>);
  const open = entries.filter(([, value]) => !isEncrypted(value));
  return Object.fromEntries(open.map(([key, value]) => [fullKey(key), asText(withoutSecrets(value))]));
}

/** To Pulumi, a key without a namespace is one of the project's own. */
function fullKey(key: string): string {
  return key.includes(":") ? key : `${configNamespace}:${key}`;
}

/** Stands for a value that only the engine can read; all that are meant to be secret are texts, and some URLs. */
const secretStandIn = "https://secret.invalid/";

function withoutSecrets(value: unknown): unknown {
  if (isEncrypted(value)) return secretStandIn;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutSecrets(each)]));
}

function isEncrypted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "secure" in value;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
