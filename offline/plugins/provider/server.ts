import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engine from "@pulumi/pulumi/proto/engine_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import * as status from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { messageOf } from "../../../src/lib/retry";
import { type Checked, checkInputs } from "./check";
import { differences } from "./diff";
import type { Call, Kind, Plugin } from "./kind";
import * as lifecycle from "./lifecycle";
import type { Properties, Values } from "./schema";

/**
 * Serves a plugin to Pulumi's engine until the engine is gone. Called by a plugin's main module.
 *
 * This speaks the provider protocol itself instead of using `main` of `@pulumi/pulumi/provider`: that one knows
 * neither previews nor provider configuration nor detailed differences, all of which the official plugins have.
 */
export async function serve<Service>(served: Plugin<Service>): Promise<void> {
  const connection: Connection<Service> = {};
  endWithParent();
  endWhenAsked(() => connection.current && served.close?.(connection.current.service));
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(rpc.ResourceProviderService, handlers(served, connection, process.argv[2]));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  // The engine reads the port from the first line of output.
  process.stdout.write(`${port}\n`);
}

/** What the plugin works on, from its configuration on. */
interface Connection<Service> {
  current?: { readonly service: Service };
}

/** The engine kills its plugins; when it was killed itself, nobody does. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 250).unref();
}

/** At its end, the engine sends its plugins SIGINT before it kills them. */
function endWhenAsked(close: () => unknown): void {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      close();
      process.exit(0);
    });
  }
}

function handlers<Service>(
  served: Plugin<Service>,
  connection: Connection<Service>,
  engineAddress: string | undefined,
): grpc.UntypedServiceImplementation {
  const abort = new AbortController();

  const kindOf = (urn: string): Kind<Service> => {
    const type = typeOf(urn);
    const kind = served.kinds[type];
    if (kind === undefined) throw new Error(unserved(served, type));
    return kind;
  };
  const call = (urn: string): Call<Service> => {
    const { current } = connection;
    if (current === undefined) throw new Error(`the ${served.name} plugin was used before it was configured`);
    return { service: current.service, urn, signal: abort.signal };
  };
  const isStored = (request: { getUrn(): string; getId(): string }) => {
    const { current } = connection;
    if (current !== undefined) served.isStored?.(current.service, request.getUrn(), request.getId());
  };

  return {
    getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(served.version)),
    getSchema: unary(() =>
      new proto.GetSchemaResponse().setSchema(JSON.stringify({ name: served.name, version: served.version })),
    ),
    attach: unary(() => new Empty()),
    cancel: unary(() => {
      abort.abort();
      return new Empty();
    }),

    checkConfig: unary((request: proto.CheckRequest) => {
      const news = values(request.getNews());
      const { failures } = checkInputs(served.config, parseConfig(served.config, withoutReserved(news)));
      return checkResponse({ inputs: news, failures });
    }),
    diffConfig: unary((request: proto.DiffRequest) => {
      const [olds, news] = [request.getOldInputs() ?? request.getOlds(), request.getNews()].map((each) =>
        parseConfig(served.config, withoutReserved(values(each))),
      );
      return diffResponse({
        differences: differences(served.config, olds ?? {}, news ?? {}),
        deleteBeforeReplace: false,
      });
    }),
    configure: unary(async (request: proto.ConfigureRequest) => {
      const config = parseConfig(served.config, withoutReserved(values(request.getArgs())));
      connection.current = { service: served.connect(config) };
      await announce(served, engineAddress);
      // Secrets come in plain and are marked by the engine on the way back: an output with an input's name is secret
      // when the input is, and a list that holds a secret is one as a whole.
      return new proto.ConfigureResponse().setSupportspreview(true);
    }),

    check: unary((request: proto.CheckRequest) => {
      const kind = served.kinds[typeOf(request.getUrn())];
      const news = values(request.getNews());
      if (kind === undefined) {
        const reason = unserved(served, typeOf(request.getUrn()));
        return checkResponse({ inputs: news, failures: [{ property: "", reason }] });
      }
      const olds = values(request.getOlds());
      return checkResponse(
        lifecycle.check(kind, olds, news, nameOf(request.getUrn()), request.getRandomseed_asU8()),
      );
    }),
    diff: unary((request: proto.DiffRequest) => {
      isStored(request);
      const plan = lifecycle.diff(
        kindOf(request.getUrn()),
        values(request.getOlds()),
        values(request.getNews()),
        request.getIgnorechangesList(),
      );
      return diffResponse(plan);
    }),
    create: unary(async (request: proto.CreateRequest) => {
      const kind = kindOf(request.getUrn());
      const inputs = values(request.getProperties());
      const response = new proto.CreateResponse();
      if (request.getPreview()) {
        return response.setProperties(struct(kind.properties, lifecycle.planned(kind, undefined, inputs)));
      }
      const { id, state } = await lifecycle.create(kind, call(request.getUrn()), inputs);
      return response.setId(id).setProperties(struct(kind.properties, state));
    }),
    read: unary(async (request: proto.ReadRequest) => {
      isStored(request);
      const kind = kindOf(request.getUrn());
      const prior = values(request.getProperties());
      const stored = await lifecycle.read(kind, call(request.getUrn()), request.getId(), prior);
      const response = new proto.ReadResponse();
      if (stored === undefined) return response;
      const oldInputs = request.getInputs() ? values(request.getInputs()) : undefined;
      return response
        .setId(stored.id)
        .setProperties(struct(kind.properties, stored.state))
        .setInputs(struct({}, lifecycle.inputsFor(kind, oldInputs, stored.state)));
    }),
    update: unary(async (request: proto.UpdateRequest) => {
      const kind = kindOf(request.getUrn());
      const state = values(request.getOlds());
      const inputs = values(request.getNews());
      if (!request.getPreview()) await kind.update?.(call(request.getUrn()), request.getId(), state, inputs);
      const after = lifecycle.planned(kind, state, inputs);
      return new proto.UpdateResponse().setProperties(struct(kind.properties, after));
    }),
    delete: unary(async (request: proto.DeleteRequest) => {
      isStored(request);
      await kindOf(request.getUrn()).delete(
        call(request.getUrn()),
        request.getId(),
        values(request.getProperties()),
      );
      return new Empty();
    }),
  };
}

type Named = Pick<Plugin<unknown>, "name" | "version"> & { readonly kinds: object };

function unary<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (request, callback) => {
    Promise.resolve()
      .then(() => answer(request.request))
      .then(
        (response) => callback(null, response),
        (error) => callback(rpcError(error)),
      );
  };
}

function rpcError(error: unknown): Partial<grpc.StatusObject> {
  const details = messageOf(error);
  if (process.env.CDC_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (!(error instanceof lifecycle.HalfMadeError)) return { code: grpc.status.UNKNOWN, details };
  const { id, state } = error.stored;
  const detail = new proto.ErrorResourceInitFailed()
    .setId(id)
    .setProperties(struct({}, state))
    .setReasonsList([details]);
  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const message = new status.Status()
    .setCode(grpc.status.UNKNOWN)
    .setMessage(details)
    .setDetailsList([packed]);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(message.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details, metadata };
}

function checkResponse({ inputs, failures }: Checked): proto.CheckResponse {
  const list = failures.map(({ property, reason }) =>
    new proto.CheckFailure().setProperty(property).setReason(reason),
  );
  return new proto.CheckResponse().setInputs(struct({}, inputs)).setFailuresList(list);
}

function diffResponse(plan: lifecycle.Plan): proto.DiffResponse {
  const roots = (differences: lifecycle.Plan["differences"]) => [
    ...new Set(differences.map(({ path }) => path.split(/[.[]/)[0] ?? path)),
  ];
  const response = new proto.DiffResponse()
    .setChanges(
      plan.differences.length > 0
        ? proto.DiffResponse.DiffChanges.DIFF_SOME
        : proto.DiffResponse.DiffChanges.DIFF_NONE,
    )
    .setReplacesList(roots(plan.differences.filter(({ replace }) => replace)))
    .setDiffsList(roots(plan.differences))
    .setDeletebeforereplace(plan.deleteBeforeReplace)
    .setHasdetaileddiff(true);
  const kinds = proto.PropertyDiff.Kind;
  const detailed = {
    add: [kinds.ADD, kinds.ADD_REPLACE],
    delete: [kinds.DELETE, kinds.DELETE_REPLACE],
    update: [kinds.UPDATE, kinds.UPDATE_REPLACE],
  } as const;
  for (const { path, kind, replace } of plan.differences) {
    const difference = new proto.PropertyDiff().setKind(detailed[kind][replace ? 1 : 0]);
    response.getDetaileddiffMap().set(path, difference);
  }
  return response;
}

/** Says in the run's output that a stand-in is at work; once per plugin process, which is once per preview or update. */
async function announce(served: Named, engineAddress: string | undefined): Promise<void> {
  if (engineAddress === undefined) return;
  const message =
    `${served.name} resources are served by this project's local stand-in for ` +
    `Pulumi's ${served.name} plugin ${served.version} (offline/plugins)`;
  const client = new engineRpc.EngineClient(engineAddress, grpc.credentials.createInsecure());
  const request = new engine.LogRequest().setSeverity(engine.LogSeverity.INFO).setMessage(message);
  await new Promise<void>((resolve) => {
    client.log(request, () => resolve());
  });
  client.close();
}

function unserved(served: Named, type: string): string {
  return (
    `${type} is not supported by the stand-in for Pulumi's ${served.name} plugin; ` +
    `it serves ${Object.keys(served.kinds).join(", ")}`
  );
}

/** The SDKs send provider inputs other than strings as JSON text. */
function parseConfig(config: Properties, sent: Values): Values {
  const parsed = Object.entries(sent).map(([name, value]) => {
    const type = config[name]?.type;
    if (type === undefined || type === "string" || typeof value !== "string") return [name, value];
    try {
      return [name, JSON.parse(value)];
    } catch {
      return [name, value];
    }
  });
  return Object.fromEntries(parsed);
}

/** Provider inputs that are the engine's own. */
function withoutReserved(config: Values): Values {
  const reserved = ["version", "pluginDownloadURL", "pluginChecksums", "parameterization"];
  return Object.fromEntries(Object.entries(config).filter(([name]) => !reserved.includes(name)));
}

function values(sent: Struct | undefined): Values {
  return sent === undefined ? {} : (withoutEmpty(sent.toJavaScript()) as Values);
}

/** Absent and null mean the same to us; protobuf has no absent inside a list. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutEmpty(each)]));
}

/** How a secret travels. Source: `specialSigKey` and `specialSecretSig` in @pulumi/pulumi's runtime/rpc. */
function secret(value: unknown): Values {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

function struct(properties: Properties, sent: Values): Struct {
  const marked = Object.entries(sent).map(([name, value]) => [
    name,
    properties[name]?.secret ? secret(value) : value,
  ]);
  return Struct.fromJavaScript(
    withoutEmpty(Object.fromEntries(marked)) as { [key: string]: JavaScriptValue },
  );
}

function typeOf(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.split("$").pop() ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
