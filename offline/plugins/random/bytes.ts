import * as crypto from "node:crypto";
import type { Created } from "../provider/kind";
import { atLeast, int, string } from "../provider/schema";
import { keepers, randomKind } from "./kind";

const output = { output: true } as const;
const secret = { output: true, secret: true } as const;

// Traits: resource_id.go of terraform-provider-random.
export const randomId = randomKind({
  properties: {
    b64Std: string(output),
    b64Url: string(output),
    byteLength: int({ required: true, forceNew: true, check: atLeast(1) }),
    dec: string(output),
    hex: string(output),
    keepers,
    prefix: string({ forceNew: true }),
  },
  generate: ({ byteLength, prefix }) =>
    idOf(crypto.randomBytes(byteLength as number), (prefix ?? "") as string),
  import: (text) => {
    const comma = text.lastIndexOf(",");
    const prefix = text.slice(0, Math.max(0, comma));
    const bytes = Buffer.from(text.slice(comma + 1), "base64url");
    const { id, outputs } = idOf(bytes, prefix);
    return { id, outputs: { ...outputs, byteLength: bytes.length, prefix: prefix || undefined } };
  },
});

function idOf(bytes: Buffer, prefix: string): Created {
  const id = bytes.toString("base64url");
  const outputs = {
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + id,
    dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
    hex: prefix + bytes.toString("hex"),
  };
  return { id, outputs };
}

// Traits: resource_bytes.go of terraform-provider-random.
export const randomBytes = randomKind({
  properties: {
    base64: string(secret),
    hex: string(secret),
    keepers,
    length: int({ required: true, forceNew: true, check: atLeast(1) }),
  },
  generate: ({ length }) => bytesOf(crypto.randomBytes(length as number)),
  import: (text) => {
    const bytes = Buffer.from(text, "base64");
    const { id, outputs } = bytesOf(bytes);
    return { id, outputs: { ...outputs, length: bytes.length } };
  },
});

function bytesOf(bytes: Buffer): Created {
  const base64 = bytes.toString("base64");
  return { id: base64, outputs: { base64, hex: bytes.toString("hex") } };
}
