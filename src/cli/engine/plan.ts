import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { isStep } from "./changes";
import { nameOf, typeOf } from "./state";

/** What the next `up` would do to one resource. */
export interface PlannedChange {
  readonly op: "create" | "update" | "replace" | "delete";
  readonly type: string;
  readonly name: string;
  /** Changed inputs, for an update and a replacement. */
  readonly properties: readonly ChangedProperty[];
}

export interface ChangedProperty {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  /** It is what forces the replacement. */
  readonly replaces: boolean;
}

const shownOps: readonly string[] = ["create", "update", "replace", "delete"];

/** Gathers the steps of a preview from its events. */
export function plannedChanges() {
  const found = new Map<string, PlannedChange>();
  return {
    onEvent: ({ resourcePreEvent }: EngineEvent) => {
      const step = resourcePreEvent?.metadata;
      if (!step || !isStep(step) || !shownOps.includes(step.op)) return;
      found.set(step.urn, {
        op: step.op as PlannedChange["op"],
        type: typeOf(step.urn).replace(/^pulumi-nodejs:dynamic[/:]/, ""),
        name: nameOf(step.urn),
        properties: propertiesOf(step),
      });
    },
    changes: (): readonly PlannedChange[] => [...found.values()],
  };
}

function propertiesOf({ op, detailedDiff, diffs, old, new: next }: StepEventMetadata): ChangedProperty[] {
  if (op !== "update" && op !== "replace") return [];
  const paths = Object.keys(detailedDiff ?? {});
  return (paths.length > 0 ? paths : (diffs ?? []))
    .filter((path) => !path.startsWith("__"))
    .map((path) => ({
      path,
      before: valueAt(old?.inputs, path),
      after: valueAt(next?.inputs, path),
      replaces: detailedDiff?.[path]?.diffKind.endsWith("-replace") ?? false,
    }));
}

/** The value at a path as Pulumi writes it: `labels[0].value`, `config["retention.ms"]`. */
export function valueAt(value: unknown, path: string): unknown {
  const parts = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)];
  let at = value;
  for (const [, quoted, index, name] of parts) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<string, unknown>)[quoted ?? index ?? name ?? ""];
  }
  return at;
}

const marks = { create: "+", update: "~", replace: "±", delete: "-" } as const;

/** A line for the resource and one for each changed input. */
export function describeChange({ op, type, name, properties }: PlannedChange): readonly string[] {
  return [
    `  ${marks[op]} ${op} ${name} (${type})`,
    ...properties.map(
      ({ path, before, after, replaces }) =>
        `      ${path}: ${short(before)} → ${short(after)}${replaces ? " (forces the replacement)" : ""}`,
    ),
  ];
}

/** Pulumi puts [secret] for a secret's value into its events. */
function short(value: unknown): string {
  if (value === undefined) return "(none)";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
