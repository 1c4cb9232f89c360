import type { dynamic } from "@pulumi/pulumi";
import { messageOf } from "../../src/lib/retry";
import type { Operations } from "../../src/providers/dynamic";
import { HalfDoneError } from "../../src/providers/half-done";

export type Done = "created" | "updated" | "replaced" | "unchanged";
type Properties = Record<string, unknown>;

/** What `check` has found wrong. */
export class CheckFailed extends Error {
  constructor(readonly failures: readonly dynamic.CheckFailure[]) {
    super(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
  }
}

/**
 * One resource under a provider's operations, in the way in which Pulumi's engine drives them: what `up`, `refresh` and
 * `destroy` would do, with a state that is JSON in between.
 */
export class TestResource {
  private resource:
    | { readonly id: string; readonly inputs: Properties; readonly state: Properties }
    | undefined;

  constructor(private readonly operations: Operations) {}

  /** @throws what the operation throws; a half-done resource is in the state nevertheless, as in the engine. */
  async up(args: object): Promise<Done> {
    const inputs = await this.check(args);
    const { resource, operations } = this;
    if (resource === undefined) {
      await this.create(inputs);
      return "created";
    }
    const { changes, replaces, deleteBeforeReplace } = await operations.diff(
      resource.id,
      resource.state,
      inputs,
    );
    if (!changes) return "unchanged";
    if (replaces?.length) {
      if (!deleteBeforeReplace) throw new Error("only replacement by deletion first is played here");
      await this.destroy();
      await this.create(inputs);
      return "replaced";
    }
    await this.keeping(resource.id, inputs, async () => {
      const { outs } = await operations.update(resource.id, resource.state, inputs);
      return { id: resource.id, outs };
    });
    return "updated";
  }

  /** What `preview` would say of it. */
  async plan(args: object): Promise<dynamic.DiffResult> {
    const inputs = await this.check(args);
    if (this.resource === undefined) return { changes: true };
    return this.operations.diff(this.resource.id, this.resource.state, inputs);
  }

  /** Reads what is really there; returns the drift, or "gone". */
  async refresh(): Promise<readonly string[] | "gone"> {
    if (this.resource === undefined) throw new Error("there is nothing to refresh");
    const { id, inputs, state } = this.resource;
    const { id: found, props } = await this.operations.read(id, state);
    this.resource = found ? { id: found, inputs, state: json(props) } : undefined;
    return this.resource === undefined ? "gone" : (this.resource.state.drift as string[]);
  }

  async destroy(): Promise<void> {
    if (this.resource === undefined) return;
    await this.operations.delete(this.resource.id, this.resource.state);
    this.resource = undefined;
  }

  /** Lets go of it, as a program that was killed before its state was written. */
  forget(): void {
    this.resource = undefined;
  }

  get state(): Properties {
    if (this.resource === undefined) throw new Error("there is no such resource");
    return this.resource.state;
  }

  get exists(): boolean {
    return this.resource !== undefined;
  }

  private async check(args: object): Promise<Properties> {
    const { inputs, failures } = await this.operations.check(this.resource?.inputs, json(args));
    if (failures?.length) throw new CheckFailed(failures);
    return json(inputs);
  }

  private create(inputs: Properties): Promise<void> {
    return this.keeping(undefined, inputs, () => this.operations.create(inputs));
  }

  private async keeping(
    id: string | undefined,
    inputs: Properties,
    work: () => Promise<{ readonly id: string; readonly outs?: Properties }>,
  ): Promise<void> {
    try {
      const done = await work();
      this.resource = { id: done.id, inputs, state: json(done.outs) };
    } catch (error) {
      if (error instanceof HalfDoneError)
        this.resource = { id: id ?? error.id, inputs, state: json(error.properties) };
      throw error;
    }
  }
}

/**
 * Does all of it in turn, also when a part fails: what stays on the servers that the files share, such as a role, is
 * found by the tests of the next file.
 * @throws what the one part that failed has thrown; AggregateError where there were several.
 */
export async function cleanUp(...parts: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts)
    try {
      await part();
    } catch (error) {
      errors.push(error);
    }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join("; "));
}

function json(value: unknown): Properties {
  return JSON.parse(JSON.stringify(value ?? {}));
}
