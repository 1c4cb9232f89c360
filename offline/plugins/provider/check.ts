import { createHash } from "node:crypto";
import { inputsOf, type Properties, type Property, type Values } from "./schema";
import { isUnknown } from "./unknown";

/** One thing that is wrong with the inputs. */
export interface Failure {
  /** Path of the property, e.g. `ports[0].internal`. */
  readonly property: string;
  readonly reason: string;
}

/** Inputs with defaults filled in, and what is wrong with them. */
export interface Checked {
  readonly inputs: Values;
  readonly failures: readonly Failure[];
}

/**
 * The input that lists which others were filled in, as the official plugins' bridge keeps it. It tells a name that
 * was made up (and may change with a replacement) from one that the user chose.
 */
export const defaultsKey = "__defaults";

/** Checks inputs against a schema and fills in defaults; unknown values pass. */
export function checkInputs(properties: Properties, news: Values): Checked {
  const failures: Failure[] = [];
  const inputs = checkObject("", inputsOf(properties), news, failures);
  return { inputs, failures };
}

/**
 * Gives a resource without a name one: the old one if that was made up too, else a new one that is unique.
 * `seed` comes from the engine and is the same in the preview and in the update that follows it.
 */
export function autoname(inputs: Values, olds: Values, urnName: string, seed: Uint8Array): Values {
  if (inputs.name !== undefined) return { ...inputs, [defaultsKey]: [] };
  const wasMadeUp = isAutonamed(olds) && typeof olds.name === "string";
  const name = wasMadeUp
    ? olds.name
    : `${urnName}-${createHash("sha256").update(seed).digest("hex").slice(0, 7)}`;
  return { ...inputs, name, [defaultsKey]: ["name"] };
}

export function isAutonamed(inputs: Values): boolean {
  const defaults = inputs[defaultsKey];
  return Array.isArray(defaults) && defaults.includes("name");
}

function checkObject(path: string, properties: Properties, values: Values, failures: Failure[]): Values {
  const checked: Record<string, unknown> = {};
  const fail = (name: string, reason: string) => failures.push({ property: join(path, name), reason });
  for (const name of Object.keys(values)) {
    if (name in properties || name.startsWith("__")) continue;
    fail(name, `unknown input "${join(path, name)}"; allowed here: ${Object.keys(properties).join(", ")}`);
  }
  for (const [name, property] of Object.entries(properties)) {
    const value = values[name] ?? undefined;
    if (value === undefined) {
      if (property.required) fail(name, `missing required input "${join(path, name)}"`);
      if (property.default !== undefined) checked[name] = property.default;
    } else {
      checked[name] = checkValue(join(path, name), property, value, failures);
    }
  }
  return checked;
}

function checkValue(path: string, property: Property, value: unknown, failures: Failure[]): unknown {
  const fail = (reason: string) => failures.push({ property: path, reason });
  if (property.unsupported !== undefined) {
    fail(
      `"${path}" is an input of the official plugin that is not supported by the stand-in: ${property.unsupported}`,
    );
    return value;
  }
  if (isUnknown(value)) return value;
  if (!isOfType(property, value)) {
    fail(`"${path}" must be ${typeInWords(property)}, not ${inWords(value)}`);
    return value;
  }
  const wrong = property.check?.(value as never);
  if (wrong !== undefined) fail(`"${path}": ${wrong}`);
  const { element } = property;
  if (property.type === "object")
    return checkObject(path, property.properties ?? {}, value as Values, failures);
  if (property.type === "map") {
    const string: Property = { type: "string" };
    const entries = Object.entries(value as Values).filter(([, each]) => each !== null);
    return Object.fromEntries(
      entries.map(([key, each]) => [key, checkValue(join(path, key), string, each, failures)]),
    );
  }
  if (element === undefined) return value;
  return (value as unknown[]).map((each, index) => checkValue(`${path}[${index}]`, element, each, failures));
}

function isOfType(property: Property, value: unknown): boolean {
  switch (property.type) {
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "int":
      return Number.isInteger(value);
    case "list":
    case "set":
      return Array.isArray(value);
    default:
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
}

function typeInWords(property: Property): string {
  switch (property.type) {
    case "string":
      return "a string";
    case "bool":
      return "true or false";
    case "int":
      return "an integer";
    case "map":
      return "an object of strings";
    case "object":
      return `an object with ${Object.keys(property.properties ?? {}).join(", ")}`;
    default:
      return "a list";
  }
}

/** The kind of a value, never the value itself: it may be a secret. */
function inWords(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !Number.isInteger(value)) return "a fraction";
  return `a ${typeof value}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
