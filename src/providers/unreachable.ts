import type { dynamic } from "@pulumi/pulumi";
import { UnreachableError } from "../lib/unreachable";

/** What a refresh finds; a server that does not answer is drift. */
export async function driftIfUnreachable(
  id: string,
  props: object,
  look: () => Promise<dynamic.ReadResult>,
): Promise<dynamic.ReadResult> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    // Its container may be gone, and the same refresh finds that out: the next update brings both back.
    return { id, props: { ...props, drift: [error.message] } };
  }
}

export interface Removal {
  /** What is to be removed. */
  readonly what: string;
  /** Whether the server is a container of the stack's, and goes with it. */
  readonly managed: boolean;
  /** What is true of a server of ours that does not answer, for the log. */
  readonly gone: string;
  /** What is true of one that is not ours, for the error: `It still holds …`. */
  readonly left: string;
}

/** Removes something. A server that does not answer and goes with the stack has nothing that must be removed. */
export async function goneIfManaged(
  { what, managed, gone, left }: Removal,
  remove: () => Promise<void>,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    if (!managed) {
      throw new Error(
        `${error.message}\n${left}. Start it and run this again; if it is gone for good, run: ` +
          "pulumi state delete <URN of this resource>",
        { cause: error },
      );
    }
    console.log(`${what}: ${gone}`);
  }
}
