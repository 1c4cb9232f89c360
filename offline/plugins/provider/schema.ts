/**
 * What a resource type takes and gives, in the terms of the official plugins' own schemas: they are Terraform
 * providers behind Pulumi's bridge, so a property is a string, a set, a list …, and may force a replacement
 * (`ForceNew`), be filled in by the engine when the user leaves it out (`Computed`), or have a fixed default.
 */
export interface Property {
  readonly type: "string" | "bool" | "int" | "list" | "set" | "map" | "object";
  /** What a list or a set holds. A map holds strings. */
  readonly element?: Property;
  /** What an object holds. */
  readonly properties?: Properties;
  readonly required?: true;
  /** A change of it replaces the resource. On a list or set: a change of its length, or of a plain element. */
  readonly forceNew?: true;
  /** Left out of the inputs, it is what the engine makes of it, and no difference. */
  readonly computed?: true;
  /** Never an input. */
  readonly output?: true;
  /** Encrypted in the state whatever the inputs are. */
  readonly secret?: true;
  /** Filled into the inputs when left out. */
  readonly default?: string | number | boolean;
  /** Says what is wrong with a value of the right type. */
  readonly check?: (value: never) => string | undefined;
  /** Whether state and input mean the same where a plain comparison says that they don't. */
  readonly same?: (state: unknown, input: unknown) => boolean;
  /** The official plugin takes it, the stand-in doesn't: why. */
  readonly unsupported?: string;
}

export type Properties = Readonly<Record<string, Property>>;

/** Property values, of inputs or of state, as they travel: JSON without null. */
export type Values = Readonly<Record<string, unknown>>;

type Traits = Omit<Property, "type" | "element" | "properties">;

export const string = (traits: Traits = {}): Property => ({ type: "string", ...traits });
export const bool = (traits: Traits = {}): Property => ({ type: "bool", ...traits });
export const int = (traits: Traits = {}): Property => ({ type: "int", ...traits });
export const map = (traits: Traits = {}): Property => ({ type: "map", ...traits });
export const list = (element: Property, traits: Traits = {}): Property => ({
  type: "list",
  element,
  ...traits,
});
export const set = (element: Property, traits: Traits = {}): Property => ({
  type: "set",
  element,
  ...traits,
});
export const object = (properties: Properties, traits: Traits = {}): Property => ({
  type: "object",
  properties,
  ...traits,
});

/** The properties that a program may set. */
export function inputsOf(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, property]) => !property.output));
}

export const atLeast =
  (least: number) =>
  (value: number): string | undefined =>
    value < least ? `${value} is lower than ${least}` : undefined;

export const matching =
  (pattern: RegExp) =>
  (value: string): string | undefined =>
    pattern.test(value) ? undefined : `"${value}" does not match ${pattern}`;
