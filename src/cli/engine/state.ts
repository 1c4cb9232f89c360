import { z } from "zod";

/** What a stack's state holds, as far as the commands look at it. */
export interface StackState {
  readonly resources: readonly StateResource[];
  /** Operations that were under way when an engine was killed. */
  readonly pending: readonly PendingOperation[];
  /** The stack's outputs, decrypted; empty where it is not up. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  /** A component is not custom: it groups others and is nothing by itself. */
  readonly custom: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface PendingOperation {
  readonly resource: StateResource;
  readonly type: string;
}

export const resourceTypes = {
  stack: "pulumi:pulumi:Stack",
  container: "docker:index/container:Container",
  network: "docker:index/network:Network",
  volume: "docker:index/volume:Volume",
} as const;

const properties = z.record(z.string(), z.unknown()).default({});

const resource = z
  .object({
    urn: z.string(),
    type: z.string(),
    id: z.string().default(""),
    custom: z.boolean().default(false),
    inputs: properties,
    outputs: properties,
  })
  .transform((one) => ({ ...one, inputs: plain(one.inputs), outputs: plain(one.outputs) }));

const deployment = z.object({
  resources: z
    .array(resource)
    .nullish()
    .transform((list) => list ?? []),
  pending_operations: z
    .array(z.object({ resource, type: z.string() }))
    .nullish()
    .transform((list) => list ?? []),
});

/** Reads what `pulumi stack export --show-secrets` prints. */
export function parseState(text: string): StackState {
  const parsed = deployment.parse(JSON.parse(text).deployment ?? {});
  const stack = parsed.resources.find(({ type }) => type === resourceTypes.stack);
  return { resources: parsed.resources, pending: parsed.pending_operations, outputs: stack?.outputs ?? {} };
}

/** The key by which Pulumi marks a value that is more than JSON, and the mark of a secret (sdk/go/…/resource/sig). */
const signature = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

/** Properties with their secrets opened. */
function plain(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return open(value) as Readonly<Record<string, unknown>>;
}

function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  if (fields[signature] === secretMark)
    return typeof fields.plaintext === "string" ? open(JSON.parse(fields.plaintext)) : undefined;
  return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, open(inner)]));
}

/** The name by which Docker knows a container, a network or a volume. */
export function dockerNameOf({ urn, inputs, outputs }: StateResource): string {
  return String(outputs.name ?? inputs.name ?? nameOf(urn));
}

/** The resource's name in the program. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The type without those of its parents. */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}
