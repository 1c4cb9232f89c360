import { randomBytes, randomUUID } from "node:crypto";
import { string } from "../provider/schema";
import { keepers, randomKind } from "./kind";

const uuidKind = (generate: () => string) =>
  randomKind({
    properties: { keepers, result: string({ output: true }) },
    generate: () => identified(generate()),
    import: identified,
  });

function identified(result: string) {
  return { id: result, outputs: { result } };
}

// Traits: resource_uuid.go, resource_uuid4.go and resource_uuid7.go of terraform-provider-random.
export const randomUuid = uuidKind(randomUUID);
export const randomUuid4 = uuidKind(randomUUID);
export const randomUuid7 = uuidKind(uuid7);

/** Begins with the time in milliseconds, so that later ones sort after earlier ones (RFC 9562, section 5.7). */
function uuid7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
