import type * as pulumi from "@pulumi/pulumi";

/** The folders of `src/providers/` that hold an `operations.ts`. */
export type ProviderName = "postgres-source" | "kafka-topic" | "debezium-connector" | "clickhouse-schema";

/**
 * What `src/providers/<name>/operations.ts` exports: the methods of a Pulumi dynamic provider as plain functions.
 * `delete` is a reserved word for a declaration, so it is exported as `export { remove as delete }`.
 */
export type Operations = Required<
  Pick<pulumi.dynamic.ResourceProvider, "check" | "diff" | "create" | "read" | "update" | "delete">
>;

/**
 * A dynamic provider whose methods load `src/providers/<name>/operations.ts` when the engine calls them.
 *
 * Pulumi stores a dynamic provider's code, as text, with each resource. Only this shell is stored: state stays small,
 * a change of the operations' code is no change of the resource, and a resource made long ago is read and deleted by
 * the code of today. The price: the operations must go on understanding the properties that their past versions wrote.
 */
export function remoteProvider(name: ProviderName): pulumi.dynamic.ResourceProvider {
  const provider = providers.get(name) ?? newProvider(name);
  providers.set(name, provider);
  return provider;
}

/** Pulumi serializes each provider once, which takes a tenth of a second. */
const providers = new Map<ProviderName, pulumi.dynamic.ResourceProvider>();

/** Everything in here runs after it has been serialized: it may use no import of this module. */
function newProvider(name: ProviderName): pulumi.dynamic.ResourceProvider {
  const operations = (): Operations => {
    const fs = require("node:fs");
    const path = require("node:path");
    // The engine starts the provider host in the program's folder, which is src/ for `pulumi up` and the project's
    // root for the driver.
    let root = process.cwd();
    while (!fs.existsSync(path.join(root, "Pulumi.yaml"))) {
      if (root === path.dirname(root)) {
        throw new Error(
          `no Pulumi.yaml in ${process.cwd()} or above it: run pulumi inside the project's checkout`,
        );
      }
      root = path.dirname(root);
    }
    require(path.join(root, "bin", "typescript.js")).register();
    return require(path.join(root, "src", "providers", name, "operations.ts"));
  };
  // The host prints an error's stack beside its message; to the user of the stack only the message is of use.
  const plainly = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Error && !process.env.CDC_DEBUG) error.stack = "";
      throw error;
    }
  };
  return {
    check: (olds, news) => plainly(() => operations().check(olds, news)),
    diff: (id, olds, news) => plainly(() => operations().diff(id, olds, news)),
    create: (inputs) => plainly(() => operations().create(inputs)),
    read: (id, props) => plainly(() => operations().read(id, props)),
    update: (id, olds, news) => plainly(() => operations().update(id, olds, news)),
    delete: (id, props) => plainly(() => operations().delete(id, props)),
  };
}
