import { inputsOf, type Properties, type Property, type Values } from "./schema";
import { isUnknown } from "./unknown";

/** One difference between what is and what shall be. */
export interface Difference {
  /** Path of the property, e.g. `ports[0].external`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** Whether it can only be had by making the resource anew. */
  readonly replace: boolean;
}

/**
 * Compares a resource's state with new inputs by the rules of the official plugins: a value that is left out equals
 * its type's zero value, or whatever the engine made of it when it is a computed one; sets have no order.
 */
export function differences(properties: Properties, state: Values, inputs: Values): Difference[] {
  return compareObject("", inputsOf(properties), state, inputs);
}

/** Whether a state and an input mean the same. */
export function isSame(property: Property, state: unknown, input: unknown): boolean {
  if (isUnknown(input)) return false;
  if (property.same?.(state, input)) return true;
  if (input === undefined && property.computed) return true;
  switch (property.type) {
    case "list":
      return isSameList(property, asList(state), asList(input));
    case "set":
      return isSameSet(property, asList(state), asList(input));
    case "map":
      return isSameMap(asObject(state), asObject(input));
    case "object":
      if (state === undefined || input === undefined) return state === input;
      return Object.entries(property.properties ?? {}).every(([name, nested]) =>
        isSame(nested, asObject(state)[name], asObject(input)[name]),
      );
    default:
      return plain(property, state) === plain(property, input);
  }
}

function compareObject(path: string, properties: Properties, state: Values, inputs: Values): Difference[] {
  return Object.entries(properties).flatMap(([name, property]) =>
    compare(path === "" ? name : `${path}.${name}`, property, state[name], inputs[name]),
  );
}

function compare(path: string, property: Property, state: unknown, input: unknown): Difference[] {
  if (isSame(property, state, input)) return [];
  const replace = property.forceNew === true;
  const whole: Difference = { path, kind: kindOf(property, state, input), replace };
  if (isUnknown(input)) return [{ ...whole, replace: replace || hasForceNew(property, state) }];
  switch (property.type) {
    case "list":
      return compareList(path, property, asList(state), asList(input), whole);
    case "set":
      return [{ ...whole, replace: setReplaces(property, asList(state), asList(input)) }];
    case "object":
      if (state === undefined || input === undefined) {
        return [{ ...whole, replace: replace || hasForceNew(property, state ?? input) }];
      }
      return compareObject(path, property.properties ?? {}, asObject(state), asObject(input));
    default:
      return [whole];
  }
}

function compareList(
  path: string,
  list: Property,
  state: readonly unknown[],
  input: readonly unknown[],
  whole: Difference,
): Difference[] {
  const element = elementOf(list);
  if (state.length !== input.length) {
    const rest = [...state.slice(input.length), ...input.slice(state.length)];
    return [{ ...whole, replace: whole.replace || rest.some((each) => hasForceNew(element, each)) }];
  }
  return input.flatMap((each, index) => compare(`${path}[${index}]`, element, state[index], each));
}

/** In a set, an element that differs is one gone and one come: their own values decide, and the number of elements. */
function setReplaces(set: Property, state: readonly unknown[], input: readonly unknown[]): boolean {
  if (state.length !== input.length && set.forceNew) return true;
  const element = elementOf(set);
  const gone = [...state];
  const come = input.filter((each) => {
    const index = gone.findIndex((other) => isSame(element, other, each));
    if (index >= 0) gone.splice(index, 1);
    return index < 0;
  });
  return [...gone, ...come].some((each) => hasForceNew(element, each));
}

/** Whether a value holds, at any depth, something whose change forces a replacement. */
function hasForceNew(property: Property, value: unknown): boolean {
  if (value === undefined) return false;
  if (property.type === "object") {
    return Object.entries(property.properties ?? {}).some(([name, nested]) =>
      hasForceNew(nested, asObject(value)[name]),
    );
  }
  return property.forceNew === true;
}

/** What a list or set holds; a plain element forces a replacement when the list or set does. */
function elementOf(property: Property): Property {
  const element = property.element ?? { type: "string" };
  return element.type !== "object" && property.forceNew ? { ...element, forceNew: true } : element;
}

function isSameList(list: Property, state: readonly unknown[], input: readonly unknown[]): boolean {
  const element = elementOf(list);
  return state.length === input.length && input.every((each, index) => isSame(element, state[index], each));
}

/** Equal up to order: each input finds a partner of its own. */
export function isSameSet(set: Property, state: readonly unknown[], input: readonly unknown[]): boolean {
  if (state.length !== input.length) return false;
  const element = elementOf(set);
  const rest = [...state];
  return input.every((each) => {
    const index = rest.findIndex((other) => isSame(element, other, each));
    if (index >= 0) rest.splice(index, 1);
    return index >= 0;
  });
}

function isSameMap(state: Values, input: Values): boolean {
  const keys = Object.keys(input);
  return keys.length === Object.keys(state).length && keys.every((key) => state[key] === input[key]);
}

function kindOf(property: Property, state: unknown, input: unknown): Difference["kind"] {
  const isNothing = (value: unknown) =>
    value === undefined ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value !== "object" && !isUnknown(value) && plain(property, value) === plain(property, undefined));
  if (isNothing(state) && !isNothing(input)) return "add";
  return input === undefined ? "delete" : "update";
}

function plain(property: Property, value: unknown): unknown {
  if (value !== undefined) return value;
  return property.type === "bool" ? false : property.type === "int" ? 0 : "";
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asObject(value: unknown): Values {
  return typeof value === "object" && value !== null ? (value as Values) : {};
}
