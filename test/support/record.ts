import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import { disconnect, getMonitor } from "@pulumi/pulumi/runtime/settings";

/** A resource as the program asked the engine for it. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: inputs are compared, not used
  readonly inputs: Readonly<Record<string, any>>;
  /** Name of the component that it is part of. */
  readonly parent: string;
  /** Values among the inputs that are marked as secrets. */
  readonly secrets: readonly unknown[];
  readonly isProtected: boolean;
  /** Names of the resources that are made before it and deleted after it. */
  readonly dependencies: readonly string[];
}

/** Outputs that a provider would have added, for the given resource. */
export type Outputs = (resource: MockResourceArgs) => Readonly<Record<string, unknown>> | undefined;

const usual: Outputs = ({ type, name, inputs }) => {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return { result: passwordOf(name) };
    case "docker:index/remoteImage:RemoteImage":
      return { imageId: `sha256:${inputs.name}` };
    default:
      return undefined;
  }
};

/** The password that a recorded RandomPassword has. */
export function passwordOf(name: string): string {
  return `secret-of-${name}`;
}

/** Runs a Pulumi program against no engine and no provider; returns what it asked for, and what it returned. */
export async function record<T>(
  build: () => T,
  outputs: Outputs = () => undefined,
): Promise<{ readonly resources: readonly Recorded[]; readonly result: T }> {
  const resources: Recorded[] = [];
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      newResource: (resource) => {
        const state = { ...resource.inputs, ...usual(resource), ...outputs(resource) };
        return { id: `id-of-${resource.name}`, state };
      },
    },
    "cdc",
    "dev",
  );
  listen((request) => {
    resources.push({
      type: request.getType(),
      name: request.getName(),
      inputs: plain(request.getObject().toJavaScript()) as Recorded["inputs"],
      secrets: secretsIn(request.getObject().toJavaScript()),
      isProtected: request.getProtect(),
      parent: nameIn(request.getParent()),
      dependencies: request.getDependenciesList().map(nameIn),
    });
  });
  const result = build();
  await disconnect();
  return { resources, result };
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProtect(): boolean;
  getDependenciesList(): string[];
  getObject(): { toJavaScript(): unknown };
}

/** The mocks are told of inputs only; the monitor that they stand behind is told of everything. */
function listen(hear: (request: Request) => void): void {
  const monitor = getMonitor() as unknown as {
    registerResource(request: Request, ...rest: unknown[]): unknown;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    hear(request);
    return register(request, ...rest);
  };
}

function nameIn(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

/** The recorded resource of that name; it must be there. */
export function find(resources: readonly Recorded[], name: string): Recorded {
  const found = resources.find((resource) => resource.name === name);
  if (!found) throw new Error(`no ${name}; there are ${resources.map((one) => one.name).join(", ")}`);
  return found;
}

/** The value of an output. */
export function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

const secretKey = "4dabf18193072939515e22adb298388d";

/** Without the wrappers around secrets. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const object = value as Record<string, unknown>;
  if (secretKey in object) return plain(object.value);
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, plain(inner)]));
}

function secretsIn(value: unknown): unknown[] {
  if (value === null || typeof value !== "object") return [];
  if (!Array.isArray(value) && secretKey in value) return [plain(value)];
  return Object.values(value).flatMap(secretsIn);
}
