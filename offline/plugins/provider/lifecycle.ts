import { autoname, type Checked, checkInputs, defaultsKey, isAutonamed } from "./check";
import { type Difference, differences, isSame } from "./diff";
import { type Call, IncompleteError, type Kind } from "./kind";
import { inputsOf, type Properties, type Property, type Values } from "./schema";
import { isUnknown, unknown } from "./unknown";

/** A kind of whatever plugin: what is done with it here takes no service. */
type AnyKind = Kind<never>;

/** What a difference means for a resource. */
export interface Plan {
  readonly differences: readonly Difference[];
  readonly deleteBeforeReplace: boolean;
}

/** A resource as it is stored. */
export interface Stored {
  readonly id: string;
  readonly state: Values;
}

/** What was made before the creation failed, and why it failed. */
export class HalfMadeError extends Error {
  constructor(
    message: string,
    readonly stored: Stored,
  ) {
    super(message);
    this.name = "HalfMadeError";
  }
}

/**
 * Marks in the state a resource whose creation failed half-way. The engine keeps such a resource and would only
 * update it; the mark makes the next update replace it, which is what Terraform does with a tainted resource.
 */
export const incompleteKey = "__incomplete";

export function check(kind: AnyKind, olds: Values, news: Values, urnName: string, seed: Uint8Array): Checked {
  const checked = checkInputs(kind.properties, news);
  const together =
    checked.failures.length === 0 ? (kind.checkTogether?.(checked.inputs) ?? checked) : checked;
  const inputs = kind.autonamed ? autoname(together.inputs, olds, urnName, seed) : together.inputs;
  return { inputs, failures: together.failures };
}

export function diff(kind: AnyKind, state: Values, inputs: Values, ignoreChanges: readonly string[]): Plan {
  const found = differences(kind.properties, state, inputs).filter(
    ({ path }) =>
      !ignoreChanges.some(
        (ignored) => path === ignored || path.startsWith(`${ignored}.`) || path.startsWith(`${ignored}[`),
      ),
  );
  if (state[incompleteKey] !== undefined) {
    found.push({ path: incompleteKey, kind: "delete", replace: true });
  }
  const replaces = found.some(({ replace }) => replace);
  const nameIsTaken = kind.autonamed === true && !isAutonamed(inputs);
  return {
    differences: found,
    deleteBeforeReplace: replaces && (kind.deleteBeforeReplace === true || nameIsTaken),
  };
}

/** The state that a creation or an update leads to, as far as it is known before; also an update's final state. */
export function planned(kind: AnyKind, state: Values | undefined, inputs: Values): Values {
  const values = Object.entries(kind.properties).map(([name, property]) => {
    const input = inputs[name];
    if (input !== undefined) {
      const before = state === undefined ? unknown : state[name];
      return [
        name,
        isSame(property, before, input) || before === unknown ? filledIn(property, input, before) : input,
      ];
    }
    if (property.output || property.computed) return [name, state === undefined ? unknown : state[name]];
    // Left out before and after, it stays what the engine made of it: a zero.
    return [name, state !== undefined && isSame(property, state[name], undefined) ? state[name] : undefined];
  });
  return withMeta(kind, Object.fromEntries(values.filter(([, value]) => value !== undefined)));
}

export async function create<Service>(
  kind: Kind<Service>,
  call: Call<Service>,
  inputs: Values,
): Promise<Stored> {
  try {
    const { id, outputs } = await kind.create(call, inputs);
    const stored = await read(kind, call, id, { ...inputs, ...outputs });
    if (stored === undefined) throw new Error(`${id} was gone right after it had been made; run up again`);
    return stored;
  } catch (error) {
    if (!(error instanceof IncompleteError)) throw error;
    const state = { ...planned(kind, {}, inputs), [incompleteKey]: "its creation failed half-way" };
    throw new HalfMadeError(error.message, { id: error.id, state });
  }
}

/** Reads what is there; a value that means the same as before stays as it was written before. */
export async function read<Service>(
  kind: Kind<Service>,
  call: Call<Service>,
  id: string,
  prior: Values,
): Promise<Stored | undefined> {
  const found = await kind.read(call, id, prior);
  if (found === undefined) return undefined;
  const values = Object.entries(kind.properties).map(([name, property]) => {
    const before = prior[name];
    if (!(name in found.state)) return [name, before];
    const now = found.state[name];
    return [
      name,
      before !== undefined && isSame(property, now, before) ? filledIn(property, before, now) : now,
    ];
  });
  const state: Values = Object.fromEntries(values.filter(([, value]) => value !== undefined));
  const mark = prior[incompleteKey] === undefined ? {} : { [incompleteKey]: prior[incompleteKey] };
  return { id: found.id, state: withMeta(kind, { ...state, ...mark }) };
}

/**
 * The inputs that would lead to this state: the old ones where they mean the same, what is there where they don't.
 * Without old ones (an import), everything that has a value.
 */
export function inputsFor(kind: AnyKind, oldInputs: Values | undefined, state: Values): Values {
  const inputs: Record<string, unknown> = {};
  const imported = oldInputs === undefined || Object.keys(oldInputs).length === 0;
  for (const [name, property] of Object.entries(inputsOf(kind.properties))) {
    const old = oldInputs?.[name];
    if (imported) {
      if (state[name] !== undefined && !isSame(property, state[name], undefined)) inputs[name] = state[name];
    } else if (old !== undefined) {
      const value = isSame(property, state[name], old) ? old : state[name];
      if (value !== undefined) inputs[name] = value;
    }
  }
  if (oldInputs?.[defaultsKey] !== undefined) inputs[defaultsKey] = oldInputs[defaultsKey];
  else if (imported && kind.autonamed) inputs[defaultsKey] = [];
  return inputs;
}

/**
 * The user's own words for a value, with what they leave to the engine taken from what is there, e.g. the port that
 * it has chosen. What is there may be unknown as a whole.
 */
function filledIn(property: Property, words: unknown, there: unknown): unknown {
  const { element, properties } = property;
  if (properties !== undefined) return filledInObject(properties, words as Values, there);
  if (element?.properties === undefined || isUnknown(words)) return words;
  const rest = there === unknown ? [] : [...((there ?? []) as unknown[])];
  return (words as unknown[]).map((each) => {
    const index = rest.findIndex((other) => isSame(element, other, each));
    return filledIn(element, each, there === unknown ? unknown : rest.splice(index, 1)[0]);
  });
}

function filledInObject(properties: Properties, words: Values, there: unknown): Values {
  if (isUnknown(words)) return words;
  const entries = Object.entries(properties).map(([name, property]) => {
    const value = there === unknown ? unknown : (there as Values | undefined)?.[name];
    const word = words[name];
    if (word !== undefined) return [name, filledIn(property, word, value)];
    return [name, property.computed ? value : undefined];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The official plugins' bridge keeps the version of a resource's schema in this property. */
function withMeta(kind: AnyKind, state: Values): Values {
  if (kind.schemaVersion === undefined) return state;
  return { ...state, __meta: JSON.stringify({ schema_version: kind.schemaVersion }) };
}
