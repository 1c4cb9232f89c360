import { messageOf } from "../lib/retry";

/**
 * A create or update that failed on its way. Pulumi's provider host looks for exactly these fields on a thrown error
 * (`grpcResponseFromError` in @pulumi/pulumi/cmd/dynamic-provider): the engine then keeps the resource in its state,
 * marked as not initialized, and the next `up` calls `update` instead of a second `create`.
 */
export class HalfDoneError extends Error {
  override readonly name = "HalfDoneError";
  readonly reasons: readonly string[];

  constructor(
    readonly id: string,
    /** What the state shall hold: inputs with `__provider`, and the outputs that are known. */
    readonly properties: Readonly<Record<string, unknown>>,
    cause: unknown,
  ) {
    super(messageOf(cause), { cause });
    this.reasons = [this.message];
  }
}
