import { type HttpAnswer, HttpClient, type HttpMethod, withoutCredentials } from "../../lib/http";
import { messageOf, waitFor } from "../../lib/retry";
import { UnreachableError } from "../../lib/unreachable";
import { redact, shown } from "./secrets";

type Settings = Readonly<Record<string, string>>;

export interface InstanceStatus {
  /** RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING. */
  readonly state: string;
  /** Java's stack trace of what a FAILED one ended with. */
  readonly trace?: string;
}

export interface ReportedStatus {
  readonly connector: InstanceStatus;
  readonly tasks: readonly InstanceStatus[];
}

/** Connect has answered, and refused. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** Connect itself gives its own requests 90 s (`WorkerConfig` and `ConnectResource.DEFAULT_REST_REQUEST_TIMEOUT_MS`). */
const longestRequestMs = 95_000;
/** How long a worker that is busy (a rebalance, a restart) is asked again. */
const busyMs = 60_000;

/** Kafka Connect's REST interface, as far as one connector needs it. */
export class Connect {
  private readonly http: HttpClient;
  private readonly where: string;

  constructor(url: string) {
    this.http = new HttpClient(url.replace(/\/+$/, ""), { timeoutMs: 10_000 });
    this.where = `Kafka Connect at ${withoutCredentials(url)}`;
  }

  /**
   * Waits until the worker takes requests: while it joins its group, it answers some of them and not others.
   * @throws UnreachableError when it does not in time.
   */
  async ready(waitMs: number): Promise<void> {
    try {
      await waitFor(
        async () => {
          const answer = await this.http.get("/connectors");
          if (answer.status === 200) return true;
          const refusal = new RefusedError(`${this.where}: ${reasonOf(answer)}`, answer.status);
          throw refusal;
        },
        {
          what: this.where,
          timeoutMs: waitMs,
          isFatal: (error) => error instanceof RefusedError && [401, 403].includes(error.status),
        },
      );
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      throw new UnreachableError(
        `${messageOf(error)}. Is it running, and does the address name it as this machine sees it?`,
      );
    }
  }

  /** The settings of a connector; undefined when there is none of the name. */
  async settings(name: string): Promise<Settings | undefined> {
    const answer = await this.ask("GET", `${pathOf(name)}/config`);
    return answer.status === 404 ? undefined : (answer.data as Settings);
  }

  /** The state of a connector; undefined when there is none, or none yet. */
  async status(name: string): Promise<ReportedStatus | undefined> {
    const answer = await this.ask("GET", `${pathOf(name)}/status`);
    return answer.status === 404 ? undefined : (answer.data as ReportedStatus);
  }

  /** What the connector itself finds wrong with settings, it tries the database as well; empty when nothing. */
  async problemsWith(settings: Settings): Promise<string[]> {
    const plugin = settings["connector.class"]?.split(".").pop() ?? "";
    const path = `/connector-plugins/${encodeURIComponent(plugin)}/config/validate`;
    const answer = await this.ask("PUT", path, settings);
    if (answer.status === 404) throw this.refused(answer, `has no connector ${plugin}`);
    // The answer holds the values too, with references resolved: nothing but the errors' own words may be shown.
    const { configs } = answer.data as {
      configs: readonly { value: { name: string; errors: readonly string[] } }[];
    };
    return configs.flatMap(({ value }) =>
      [...new Set(value.errors)].map(
        (error) => `${value.name}: ${redact(error, settings)}${given(value.name, settings)}`,
      ),
    );
  }

  /** Makes a connector that does nothing yet. */
  async createStopped(name: string, settings: Settings): Promise<void> {
    const body = { name, config: settings, initial_state: "STOPPED" };
    await this.ask("POST", "/connectors", body, redacting(settings));
  }

  /** Gives a connector these settings; unless it is stopped, it starts again with them. */
  async configure(name: string, settings: Settings): Promise<void> {
    await this.ask("PUT", `${pathOf(name)}/config`, settings, redacting(settings));
  }

  /** Whether Connect knows how far a connector has come, itself or one of its name before it. */
  async hasOffsets(name: string): Promise<boolean> {
    const { data } = await this.ask("GET", `${pathOf(name)}/offsets`);
    return ((data as { offsets?: readonly unknown[] }).offsets ?? []).length > 0;
  }

  /** Out of PAUSED and STOPPED. */
  async resume(name: string): Promise<void> {
    await this.ask("PUT", `${pathOf(name)}/resume`);
  }

  /** Starts what has FAILED again. */
  async restartFailed(name: string): Promise<void> {
    await this.ask("POST", `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`);
  }

  /** Ends the tasks, and waits until they are; returns whether there was such a connector. */
  async stop(name: string): Promise<boolean> {
    const answer = await this.ask("PUT", `${pathOf(name)}/stop`);
    if (answer.status === 404) return false;
    await waitFor(
      async () => {
        const status = await this.status(name);
        return status === undefined || (status.connector.state === "STOPPED" && status.tasks.length === 0);
      },
      { what: `stopping connector ${name}`, timeoutMs: busyMs },
    );
    return true;
  }

  /** Forgets how far a stopped connector has come, so that another one of its name begins anew. */
  async deleteOffsets(name: string): Promise<void> {
    await this.ask("DELETE", `${pathOf(name)}/offsets`);
  }

  async delete(name: string): Promise<void> {
    await this.ask("DELETE", pathOf(name));
    await waitFor(async () => (await this.settings(name)) === undefined, {
      what: `deleting connector ${name}`,
      timeoutMs: busyMs,
    });
  }

  /**
   * One request, repeated while the worker is busy with something else. A 404 is an answer.
   * @throws RefusedError, UnreachableError
   */
  private async ask(
    method: HttpMethod,
    path: string,
    body?: unknown,
    shown: (text: string) => string = (text) => text,
  ): Promise<HttpAnswer> {
    let last: unknown;
    try {
      return await waitFor(
        async () => {
          const answer = await this.http.send(method, path, body, { timeoutMs: longestRequestMs });
          if (answer.status < 400 || answer.status === 404) return answer;
          throw this.refused(answer, `refuses ${method} ${path.split("?")[0]}`, shown);
        },
        {
          what: this.where,
          timeoutMs: busyMs,
          everyMs: 500,
          isFatal: (error) => {
            last = error;
            return error instanceof RefusedError && !isBusy(error);
          },
        },
      );
    } catch (error) {
      if (last instanceof UnreachableError) throw new UnreachableError(`${this.where}: ${last.message}`);
      throw last ?? error;
    }
  }

  private refused(answer: HttpAnswer, what: string, shown = (text: string) => text): RefusedError {
    return new RefusedError(`${this.where} ${what}: ${shown(reasonOf(answer))}`, answer.status);
  }
}

/**
 * Whether the same request will be taken soon: 409 is a rebalance; a worker that starts or has lost its group says 500
 * or 503 with such words; offsets are refused until the last task has really ended.
 */
function isBusy({ status, message }: RefusedError): boolean {
  return (
    status === 409 ||
    status === 503 ||
    (status >= 500 && /timed out|timeout|rebalanc|starting up|not.*ready|shutting down/i.test(message)) ||
    (status === 400 && /STOPPED state|zombie/i.test(message))
  );
}

function reasonOf({ status, data }: HttpAnswer): string {
  const said = (data as { message?: unknown } | undefined)?.message ?? data;
  return typeof said === "string" && said !== "" ? `${said.trim()} (status ${status})` : `status ${status}`;
}

/** Debezium's words do not repeat the value. */
function given(name: string, settings: Settings): string {
  const value = settings[name];
  return value === undefined ? "" : ` (given: ${shown(name, value)})`;
}

function redacting(settings: Settings): (text: string) => string {
  return (text) => redact(text, settings);
}

function pathOf(connector: string): string {
  return `/connectors/${encodeURIComponent(connector)}`;
}
