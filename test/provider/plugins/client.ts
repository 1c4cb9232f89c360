import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { installStandIns } from "../../../offline/plugins/install";
import { waitFor } from "../../../src/lib/retry";

export type Values = Readonly<Record<string, unknown>>;

/** A resource as the engine would keep it. */
export interface Stored {
  readonly id: string;
  readonly state: Values;
  readonly inputs: Values;
}

export interface Difference {
  readonly path: string;
  readonly replace: boolean;
}

const secretSignature = "4dabf18193072939515e22adb298388d";

/** What a creation that failed half-way left behind. */
export class InitFailed extends Error {
  constructor(
    message: string,
    readonly stored: Stored,
  ) {
    super(message);
  }
}

/** A stand-in as Pulumi's engine starts and asks it: the installed program, over the provider protocol. */
export class PluginClient {
  private constructor(
    readonly process: ChildProcess,
    readonly home: string,
    private readonly client: ResourceProviderClient,
    private readonly type: string,
  ) {}

  /** @param home a Pulumi home to start it from; it is removed at the end unless it is given */
  static async start(name: "docker" | "random", home?: string): Promise<PluginClient> {
    const folder = home ?? fs.mkdtempSync(path.join(os.tmpdir(), "cdc-test-home-"));
    await installStandIns(folder);
    const [plugin = ""] = fs
      .readdirSync(path.join(folder, "plugins"))
      .filter((each) => each.includes(`-${name}-`));
    const program = path.join(folder, "plugins", plugin, `pulumi-resource-${name}`);
    const child = spawn(program, [], {
      env: { ...process.env, PULUMI_HOME: folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await firstLine(child);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const started = new PluginClient(child, folder, client, name);
    await started.ask("configure", new proto.ConfigureRequest().setArgs(struct({})));
    return started;
  }

  /** What is wrong with the inputs. */
  async failures(urn: string, news: Values): Promise<string[]> {
    const response = await this.askCheck(urn, news, {});
    return response.getFailuresList().map((failure) => failure.getReason());
  }

  /** @returns the inputs with their defaults @throws Error when there is anything wrong with them */
  async check(urn: string, news: Values, olds: Values = {}): Promise<Values> {
    const response = await this.askCheck(urn, news, olds);
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return values(response.getInputs());
  }

  async preview(urn: string, news: Values): Promise<Values> {
    const inputs = await this.check(urn, news);
    const request = new proto.CreateRequest().setUrn(urn).setProperties(struct(inputs)).setPreview(true);
    return values((await this.ask<proto.CreateResponse>("create", request)).getProperties());
  }

  async create(urn: string, news: Values): Promise<Stored> {
    const inputs = await this.check(urn, news);
    const request = new proto.CreateRequest().setUrn(urn).setProperties(struct(inputs));
    const response = await this.ask<proto.CreateResponse>("create", request, inputs);
    return { id: response.getId(), state: values(response.getProperties()), inputs };
  }

  async read(urn: string, { id, state, inputs }: Stored): Promise<Stored | undefined> {
    const request = new proto.ReadRequest()
      .setUrn(urn)
      .setId(id)
      .setProperties(struct(state))
      .setInputs(struct(inputs));
    const response = await this.ask<proto.ReadResponse>("read", request);
    if (response.getId() === "") return undefined;
    return {
      id: response.getId(),
      state: values(response.getProperties()),
      inputs: values(response.getInputs()),
    };
  }

  async diff(urn: string, { id, state, inputs: olds }: Stored, news: Values) {
    const inputs = await this.check(urn, news, olds);
    const request = new proto.DiffRequest()
      .setUrn(urn)
      .setId(id)
      .setOlds(struct(state))
      .setNews(struct(inputs));
    const response = await this.ask<proto.DiffResponse>("diff", request);
    const replaces = new Set<number>([
      proto.PropertyDiff.Kind.ADD_REPLACE,
      proto.PropertyDiff.Kind.DELETE_REPLACE,
      proto.PropertyDiff.Kind.UPDATE_REPLACE,
    ]);
    const entries = response.getDetaileddiffMap().toArray() as unknown as [string, number[]][];
    return {
      differences: entries.map(([at, [kind = 0]]): Difference => ({ path: at, replace: replaces.has(kind) })),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async update(urn: string, stored: Stored, news: Values): Promise<Stored> {
    const inputs = await this.check(urn, news, stored.inputs);
    const request = new proto.UpdateRequest()
      .setUrn(urn)
      .setId(stored.id)
      .setOlds(struct(stored.state))
      .setNews(struct(inputs));
    const response = await this.ask<proto.UpdateResponse>("update", request);
    return { id: stored.id, state: values(response.getProperties()), inputs };
  }

  async delete(urn: string, { id, state }: Stored): Promise<void> {
    await this.ask("delete", new proto.DeleteRequest().setUrn(urn).setId(id).setProperties(struct(state)));
  }

  /** As the engine does when the user presses Ctrl-C. */
  async cancel(): Promise<void> {
    const { Empty } = await import("google-protobuf/google/protobuf/empty_pb");
    await this.ask("cancel", new Empty());
  }

  urn(type: string, name: string): string {
    const token = `${this.type}:index/${type[0]?.toLowerCase()}${type.slice(1)}:${type}`;
    return `urn:pulumi:test::cdc-test::${token}::${name}`;
  }

  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    this.client.close();
    this.process.kill(signal);
    const hasEnded = () => this.process.exitCode !== null || this.process.signalCode !== null;
    await waitFor(hasEnded, { what: `end of the ${this.type} plugin`, timeoutMs: 10_000, everyMs: 20 });
  }

  async end(): Promise<void> {
    await this.stop();
    fs.rmSync(this.home, { recursive: true });
  }

  private askCheck(urn: string, news: Values, olds: Values): Promise<proto.CheckResponse> {
    const request = new proto.CheckRequest()
      .setUrn(urn)
      .setNews(struct(news))
      .setOlds(struct(olds))
      .setRandomseed(Buffer.from("a seed"));
    return this.ask("check", request);
  }

  private ask<Response>(method: string, request: unknown, inputs: Values = {}): Promise<Response> {
    // biome-ignore lint/suspicious/noExplicitAny: all methods alike
    const client = this.client as any;
    return new Promise((resolve, reject) => {
      client[method](request, (error: grpc.ServiceError | null, response: Response) =>
        error ? reject(errorOf(error, inputs)) : resolve(response),
      );
    });
  }
}

function errorOf(error: grpc.ServiceError, inputs: Values): Error {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  if (packed === undefined) return new Error(error.details);
  const [detail] = Status.deserializeBinary(packed as Buffer).getDetailsList();
  if (detail?.getTypeName() !== "pulumirpc.ErrorResourceInitFailed") return new Error(error.details);
  const failed = proto.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  const stored = { id: failed.getId(), state: values(failed.getProperties()), inputs };
  return new InitFailed(failed.getReasonsList().join("\n"), stored);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no output to read");
  const lines = createInterface(child.stdout);
  const ended = new Promise<never>((_, reject) => {
    child.once("exit", (code) => reject(new Error(`the plugin ended with ${code} before it served`)));
  });
  return Promise.race([new Promise<string>((resolve) => lines.once("line", resolve)), ended]);
}

/** Whether a value travels as a secret. */
export function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && secretSignature in value;
}

function values(sent: Struct | undefined): Values {
  return (sent?.toJavaScript() ?? {}) as Values;
}

function struct(sent: Values): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(sent)) as { [key: string]: JavaScriptValue });
}
