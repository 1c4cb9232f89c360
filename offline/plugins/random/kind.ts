import type { Failure } from "../provider/check";
import type { Created, Kind } from "../provider/kind";
import { map, type Properties, type Values } from "../provider/schema";

/** A change of any value that the user keeps here makes a new random one. */
export const keepers = map({ forceNew: true });

interface RandomKind {
  readonly properties: Properties;
  readonly schemaVersion?: string;
  readonly checkTogether?: (inputs: Values) => {
    readonly inputs: Values;
    readonly failures: readonly Failure[];
  };
  readonly generate: (inputs: Values) => Created;
  /** All values, outputs included, of one that exists elsewhere; absent where its id doesn't tell them. */
  readonly import?: (id: string) => Created;
}

/** A random value lives nowhere but in the state: reading and deleting it is nothing, and any change makes a new one. */
export function randomKind({ generate, import: imported, ...rest }: RandomKind): Kind<undefined> {
  return {
    ...rest,
    create: async (_call, inputs) => generate(inputs),
    async read({ urn }, id, prior) {
      if (Object.keys(prior).length > 0) return { id, state: {} };
      if (imported === undefined) throw new Error(`${urn.split("::")[2]} cannot be imported`);
      const { id: own, outputs = {} } = imported(id);
      return { id: own, state: outputs };
    },
    delete: async () => {},
  };
}
