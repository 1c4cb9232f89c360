/**
 * How an input that is not known yet (during a preview) reads in `check` and `diff`.
 * Source: `UnknownStringValue` in Pulumi's plugin SDK (sdk/go/common/resource/plugin/rpc.go).
 */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is not known yet, or holds one that isn't. */
export function isUnknown(value: unknown): boolean {
  if (value === unknownValue) return true;
  if (Array.isArray(value)) return value.some(isUnknown);
  if (value !== null && typeof value === "object") return Object.values(value).some(isUnknown);
  return false;
}
