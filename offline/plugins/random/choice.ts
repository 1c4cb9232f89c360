import { randomInt } from "node:crypto";
import type { Checked } from "../provider/check";
import { int, list, string, type Values } from "../provider/schema";
import { isUnknown } from "../provider/unknown";
import { keepers, randomKind } from "./kind";
import { shuffled } from "./text";

const required = { required: true, forceNew: true } as const;
const seed = string({ forceNew: true, unsupported: "it cannot draw the numbers that Go draws from a seed" });

// Traits: resource_integer.go of terraform-provider-random.
export const randomInteger = randomKind({
  properties: { keepers, max: int(required), min: int(required), result: int({ output: true }), seed },
  checkTogether: checkRange,
  generate: ({ min, max }) => {
    const result = randomInt(min as number, (max as number) + 1);
    return { id: String(result), outputs: { result } };
  },
  import: (text) => {
    const [result, min, max] = text.split(",").map(Number);
    return { id: String(result), outputs: { result, min, max } };
  },
});

function checkRange(inputs: Values): Checked {
  const { min, max } = inputs;
  if (isUnknown(min) || isUnknown(max) || Number(min) <= Number(max)) return { inputs, failures: [] };
  return { inputs, failures: [{ property: "min", reason: `"min" is ${min}, higher than "max", ${max}` }] };
}

// Traits: resource_shuffle.go of terraform-provider-random.
export const randomShuffle = randomKind({
  properties: {
    inputs: list(string(), required),
    keepers,
    resultCount: int({ forceNew: true }),
    results: list(string(), { output: true }),
    seed,
  },
  generate: ({ inputs, resultCount }) => {
    const values = inputs as string[];
    const count = (resultCount as number | undefined) ?? values.length;
    return { id: "-", outputs: { results: repeated(values, count) } };
  },
});

/** Where more are asked for than there are, all come in turn, each time in another order. */
function repeated(values: readonly string[], count: number): string[] {
  if (values.length === 0) return [];
  const rounds = Array.from({ length: Math.ceil(count / values.length) }, () => shuffled(values));
  return rounds.flat().slice(0, count);
}
