import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { duration } from "../ui/format";
import type { Terminal } from "../ui/terminal";
import { nameOf, resourceTypes, typeOf } from "./state";

/** What an operation of the engine has done, or would do. */
export interface Changes {
  /** Number of resources by what was done to them, e.g. `{ create: 3, same: 40 }`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly errors: readonly ResourceError[];
}

export interface ResourceError {
  /** The resource's name; empty where the error belongs to none. */
  readonly resource: string;
  readonly message: string;
}

/** Follows an operation of the engine by its events. */
export interface ChangeView {
  readonly onEvent: (event: EngineEvent) => void;
  readonly result: () => Changes;
}

/** Of a replacement the creation is shown, which is what takes time. */
const done: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  "create-replacement": "replaced",
  import: "imported",
};

const doing: Readonly<Record<string, string>> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  "create-replacement": "replacing",
  "delete-replaced": "removing the old",
  refresh: "reading",
};

/** Shows one line for each thing that takes time or can be seen outside: not for passwords and the like. */
export function followChanges(terminal: Terminal, now: () => number = Date.now): ChangeView {
  const begun = new Map<string, { readonly at: number; readonly text: string }>();
  const errors: ResourceError[] = [];
  let counts: Readonly<Record<string, number>> = {};
  const started = now();

  const end = ({ urn, op }: StepEventMetadata, ok: boolean) => {
    const since = begun.get(urn)?.at ?? now();
    begun.delete(urn);
    if (ok && !(isShown(urn) && op in done)) return;
    const text = ok ? done[op] : `${doing[op] ?? op} failed`;
    terminal.line(`  ${ok ? "✓" : "✗"} ${nameOf(urn)} ${text} (${duration(now() - since)})`);
  };

  return {
    onEvent: ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent, summaryEvent }) => {
      if (resourcePreEvent && isStep(resourcePreEvent.metadata)) {
        const { urn, op } = resourcePreEvent.metadata;
        if (op in doing) begun.set(urn, { at: now(), text: `${doing[op]} ${nameOf(urn)}` });
      }
      if (resOutputsEvent && isStep(resOutputsEvent.metadata)) end(resOutputsEvent.metadata, true);
      if (resOpFailedEvent) end(resOpFailedEvent.metadata, false);
      if (diagnosticEvent?.severity === "error") {
        const message = withoutColor(diagnosticEvent.message).trim();
        const resource = diagnosticEvent.urn ? nameOf(diagnosticEvent.urn) : "";
        if (message && !isRepetition(message)) errors.push({ resource, message });
      }
      if (summaryEvent) counts = countsOf(summaryEvent.resourceChanges);
      const texts = [...begun.values()].map(({ text }) => text);
      if (texts.length > 0) terminal.status(`  … ${texts.join(", ")}  ${duration(now() - started)}`);
    },
    result: () => ({ counts, errors }),
  };
}

/** Steps of components and of providers are steps of nothing. */
export function isStep({ urn }: StepEventMetadata): boolean {
  const type = typeOf(urn);
  return type !== resourceTypes.stack && !type.startsWith("pulumi:providers:") && !type.startsWith("cdc:");
}

function isShown(urn: string): boolean {
  const type = typeOf(urn);
  return (
    type === resourceTypes.container ||
    type === resourceTypes.network ||
    type === resourceTypes.volume ||
    type.startsWith("pulumi-nodejs:dynamic")
  );
}

function countsOf(changes: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(changes).flatMap(([op, number]) => (number ? [[op, number] as const] : [])),
  );
}

/** Pulumi marks colours as <{%reset%}>. */
function withoutColor(text: string): string {
  return text.replace(/<\{%.*?%\}>/g, "");
}

/** The engine ends with a line that only says that there were errors. */
function isRepetition(message: string): boolean {
  return /^(update|preview|destroy|refresh) failed$/.test(message);
}

const words = [
  ["create", "created", "to create"],
  ["update", "updated", "to update"],
  ["replace", "replaced", "to replace"],
  ["delete", "deleted", "to delete"],
] as const;

/** The counts in words: `3 created, 1 updated, 40 unchanged`; "nothing changed" where that is so. */
export function inWords(counts: Changes["counts"], { planned = false } = {}): string {
  const parts = words.flatMap(([op, done, plan]) =>
    counts[op] ? [`${counts[op]} ${planned ? plan : done}`] : [],
  );
  if (parts.length === 0) return planned ? "nothing to change" : "nothing changed";
  return [...parts, ...(counts.same ? [`${counts.same} unchanged`] : [])].join(", ");
}
