import { randomInt } from "node:crypto";
import { hashSync } from "bcryptjs";
import type { Checked, Failure } from "../provider/check";
import { atLeast, bool, int, type Properties, string, type Values } from "../provider/schema";
import { isUnknown } from "../provider/unknown";
import { keepers, randomKind } from "./kind";

const forceNew = { forceNew: true } as const;
const on = bool({ ...forceNew, default: true });
const least = int({ ...forceNew, default: 0 });

// Traits: resource_password.go and resource_string.go of terraform-provider-random.
const inputs: Properties = {
  keepers,
  length: int({ required: true, ...forceNew, check: atLeast(1) }),
  lower: on,
  minLower: least,
  minNumeric: least,
  minSpecial: least,
  minUpper: least,
  // The older name of `numeric`.
  number: bool(forceNew),
  numeric: bool(forceNew),
  overrideSpecial: string(forceNew),
  special: on,
  upper: on,
};

/** Rounds (a power of two) of bcrypt; what Go's implementation takes by default. */
const bcryptCost = 10;

export const randomPassword = randomKind({
  properties: {
    ...inputs,
    bcryptHash: string({ output: true, secret: true }),
    result: string({ output: true, secret: true }),
  },
  schemaVersion: "3",
  checkTogether: checkText,
  generate: (inputs) => password(randomText(inputs)),
  import: (result) => ({
    ...password(result),
    outputs: { ...imported(result), ...password(result).outputs },
  }),
});

export const randomString = randomKind({
  properties: { ...inputs, result: string({ output: true }) },
  schemaVersion: "2",
  checkTogether: checkText,
  generate: (inputs) => {
    const result = randomText(inputs);
    return { id: result, outputs: { result } };
  },
  import: (result) => ({ id: result, outputs: { ...imported(result), result } }),
});

/** A password doesn't show in its id. */
function password(result: string) {
  return { id: "none", outputs: { result, bcryptHash: hashSync(result, bcryptCost) } };
}

function imported(result: string): Values {
  const kinds = { lower: true, upper: true, number: true, numeric: true, special: true };
  return { ...kinds, length: result.length, minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0 };
}

/** `number` and `numeric` are one setting; the other follows the one that is given. */
function checkText(given: Values): Checked {
  const numeric = given.numeric ?? given.number ?? true;
  const inputs = { ...given, number: given.number ?? numeric, numeric };
  return { inputs, failures: problems(inputs) };
}

function problems(inputs: Values): Failure[] {
  if (Object.values(inputs).some(isUnknown)) return [];
  const { length, minLower, minNumeric, minSpecial, minUpper, lower, number, numeric, special, upper } =
    inputs;
  const sum = [minLower, minNumeric, minSpecial, minUpper].reduce<number>(
    (total, each) => total + Number(each),
    0,
  );
  const found: Failure[] = [];
  if (number !== numeric) {
    found.push({
      property: "number",
      reason: `"number" is the older name of "numeric", and is not the same here`,
    });
  }
  if (Number(length) < sum) {
    const reason = `"length" is ${length}, lower than ${sum}, the sum of minLower, minNumeric, minSpecial and minUpper`;
    found.push({ property: "length", reason });
  }
  if (!lower && !numeric && !special && !upper) {
    const reason = `at least one of "lower", "numeric", "special" and "upper" must be true`;
    found.push({ property: "numeric", reason });
  }
  return found;
}

const alphabets = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

/** As `CreateString` of terraform-provider-random: the asked-for minimum of each kind, the rest of all, shuffled. */
function randomText(inputs: Values): string {
  const special = (inputs.overrideSpecial as string | undefined) || alphabets.special;
  const { lower, upper, numeric } = alphabets;
  const length = inputs.length as number;
  const all = [
    inputs.upper ? upper : "",
    inputs.lower ? lower : "",
    inputs.numeric ? numeric : "",
    inputs.special ? special : "",
  ].join("");
  const least = [
    ...pick(lower, inputs.minLower),
    ...pick(upper, inputs.minUpper),
    ...pick(numeric, inputs.minNumeric),
    ...pick(special, inputs.minSpecial),
  ];
  return shuffled([...least, ...pick(all, length - least.length)]).join("");
}

function pick(alphabet: string, count: unknown): string[] {
  const characters = [...alphabet];
  return Array.from({ length: Number(count) }, () => characters[randomInt(characters.length)] as string);
}

/** In an order of which all are equally likely (Fisher and Yates). */
export function shuffled<T>(values: readonly T[]): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(randomInt(rest.length), 1)[0] as T);
}
