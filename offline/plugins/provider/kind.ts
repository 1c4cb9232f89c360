import type { Failure } from "./check";
import type { Properties, Values } from "./schema";

/** A plugin: what it is called, how it is configured, which types it serves. */
export interface Plugin<Service> {
  /** Pulumi's name of the package, e.g. "docker". */
  readonly name: string;
  /** The version that it stands in for. */
  readonly version: string;
  /** Inputs of the provider resource. Beside strings, the SDK sends them as JSON text. */
  readonly config: Properties;
  /** What resources work on, e.g. a client of the Docker Engine. Called once per configuration. */
  readonly connect: (config: Values) => Service;
  /** Called with each resource that the engine speaks of as of one that is in its state. */
  readonly isStored?: (service: Service, urn: string, id: string) => void;
  /** Called when the engine ends in good order; a killed one calls nothing. */
  readonly close?: (service: Service) => void;
  /** By type token, e.g. "docker:index/network:Network". */
  readonly kinds: Readonly<Record<string, Kind<Service>>>;
}

/** One resource type. */
export interface Kind<Service> {
  readonly properties: Properties;
  /** A missing `name` is made up from the resource's own name. */
  readonly autonamed?: true;
  /** A replacement deletes first even when the name was made up. */
  readonly deleteBeforeReplace?: true;
  /** Version of the official plugin's state schema, so that it could take the state over. */
  readonly schemaVersion?: string;
  /** Rules between several inputs; called only when each alone is right. May fill in further inputs. */
  readonly checkTogether?: (inputs: Values) => {
    readonly inputs: Values;
    readonly failures: readonly Failure[];
  };
  /**
   * Makes the resource.
   * @throws IncompleteError when it exists but isn't what it shall be; any other error means that nothing was made.
   */
  readonly create: (call: Call<Service>, inputs: Values) => Promise<Created>;
  /**
   * What is there now, or undefined when it's gone. Properties that it leaves out stay as they were in `prior`
   * (the inputs right after a creation; empty at an import).
   */
  readonly read: (call: Call<Service>, id: string, prior: Values) => Promise<Found | undefined>;
  /** Changes in place what can be; absent where every input forces a replacement. */
  readonly update?: (call: Call<Service>, id: string, state: Values, inputs: Values) => Promise<void>;
  /** Deletes; something that is gone already is no error. */
  readonly delete: (call: Call<Service>, id: string, state: Values) => Promise<void>;
}

export interface Created {
  readonly id: string;
  /** Outputs that only the creation knows. */
  readonly outputs?: Values;
}

export interface Found {
  readonly id: string;
  readonly state: Values;
}

/** What one call works with. */
export interface Call<Service> {
  readonly service: Service;
  /** The resource's own address in the engine's state. */
  readonly urn: string;
  /** Aborted when the engine gives up (Ctrl-C): end waits, leave a state that the next run can go on from. */
  readonly signal: AbortSignal;
}

/** The resource was made, but is not what it shall be; the next update replaces it. */
export class IncompleteError extends Error {
  constructor(
    message: string,
    readonly id: string,
  ) {
    super(message);
    this.name = "IncompleteError";
  }
}
