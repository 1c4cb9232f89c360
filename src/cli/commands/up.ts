import { isIP } from "node:net";
import type { CdcConfig } from "../../config";
import { addressesOf } from "../../endpoints";
import type { ResolvedImages } from "../../images";
import type { CommandContext } from "../command";
import { recover } from "../engine/recovery";
import { refuseForeignVolumes } from "../engine/volumes";
import { factsIn, factsOf, type StackFacts } from "../facts";
import { operate } from "../operation";
import { type CommonOptions, dockerStep, imagesStep, pulumiStep, stackFor } from "../session";
import { readSettings } from "../settings";
import type { DockerFacts } from "../toolchain/docker";
import { isLoopback, machineOf } from "../toolchain/docker-endpoints";
import { missingJmx } from "../toolchain/jmx";
import type { PulumiFacts } from "../toolchain/pulumi";
import { duration, table } from "../ui/format";

export interface UpOptions extends CommonOptions {
  /** Looks at what is really there first, so that drift is repaired. */
  readonly refresh?: boolean;
}

/** Brings the stack up, or to what the configuration says, and proves that a row flows. */
export async function up(options: UpOptions, context: CommandContext): Promise<undefined> {
  const { terminal, steps, interruption } = context;
  const started = Date.now();
  const config = readSettings(options.stack);
  const docker = await dockerStep(steps);
  refuseUnreachable(docker, config);
  for (const warning of [...docker.warnings, ...openPorts(config)]) terminal.line(`  note: ${warning}`);
  const pulumi = await pulumiStep(steps, options);
  const images = await imagesStep(steps, config, options);
  interruption.check();
  let outputs: unknown;
  const stack = stackFor(options, {
    steps,
    pulumi,
    interruption,
    program: async () => {
      const { output } = await import("@pulumi/pulumi");
      const { program } = await import("../../program");
      return async () => {
        const values = program();
        // To ask the CLI for them again would take a second.
        output(values).apply((known) => {
          outputs = known;
        });
        return values;
      };
    },
  });
  const before = await recover({ stack, stackName: options.stack, pulumi, steps });
  await refuseForeignVolumes(before, options.stack);
  interruption.check();
  const automation = await stack.automation();
  // Loaded while the engine works.
  const proof = import("../first-row");
  await operate("Stack", context, options, (engine) =>
    automation.up({ ...engine, color: "never", refresh: options.refresh ?? false }),
  );
  const facts = factsIn(outputs) ?? factsOf(await stack.read());
  if (!facts)
    throw new Error(
      "the update ended well, but the stack's state holds no containers or outputs; run: npx cdc up --refresh",
    );
  await (await proof).proveFirstRow(facts, context.steps);
  terminal.line();
  for (const line of summary(facts, images, pulumi)) terminal.line(line);
  terminal.line();
  terminal.line(`up in ${duration(Date.now() - started)}`);
  return undefined;
}

/**
 * Ports are published on the engine's machine, and this one connects to them.
 * @throws Error where the address for that can only mean this machine.
 */
export function refuseUnreachable(
  { host, remote }: Pick<DockerFacts, "host" | "remote">,
  config: CdcConfig,
): void {
  const address = addressesOf(config).postgres.host;
  if (!remote || !isLoopback(address)) return;
  const machine = machineOf(host) ?? "";
  throw new Error(
    `Docker runs on another machine (${host}): with cdc:bindAddress ${config.bindAddress} the ports would be published ` +
      `there and looked for here, at ${address}.\n` +
      "Set cdc:bindAddress in Pulumi.<stack>.yaml to an address of that machine which this one reaches" +
      `${isIP(machine) ? `, such as ${machine}` : ""}; or use an engine of this machine ` +
      "(unset DOCKER_HOST, or: docker context use default)",
  );
}

/** What whoever reaches a port can do without a login, where the ports are not this machine's alone. */
export function openPorts({ bindAddress }: Pick<CdcConfig, "bindAddress">): readonly string[] {
  if (bindAddress === "::1" || bindAddress.startsWith("127.")) return [];
  return [
    `ports are published on ${bindAddress}, past this machine's firewall: Kafka, Connect, Prometheus, Alertmanager, ` +
      "Kafdrop and the exporters ask for no login, and a connector that somebody posts to Connect can read what the role " +
      "debezium can; let only machines that you trust reach them",
  ];
}

/** What the user wants to know at the end: where everything is, how to get in, and what is different here. */
export function summary(
  { endpoints, pipeline }: StackFacts,
  images: ResolvedImages,
  { plugins }: Pick<PulumiFacts, "plugins">,
): readonly string[] {
  const withoutJmx = missingJmx(images);
  const standIns = Object.entries(plugins.origins).filter(([, origin]) => origin === "stand-in");
  return [
    ...table(Object.entries(endpoints)),
    "",
    `  for psql, curl, pulumi: eval "$(npx cdc env)"`,
    "  then, all users and passwords: pulumi stack output credentials --show-secrets",
    ...(pipeline.missing.length > 0
      ? [`  left out: ${pipeline.missing.join(", ")}: no image of them in a package registry; ${images.why}`]
      : []),
    ...(images.mode === "local"
      ? [
          `  ${endpoints["clickhouse-tcp"]} is not served: the local ClickHouse speaks HTTP only (${endpoints.clickhouse})`,
        ]
      : []),
    ...(images.mode === "local" && images.images.grafana && endpoints.grafana
      ? [
          `  ${endpoints.grafana} is a read-only page of ours that draws Grafana's dashboards: Grafana is in no package registry`,
        ]
      : []),
    ...(withoutJmx ? [`  ${withoutJmx}`] : []),
    ...(standIns.length > 0
      ? [
          `  stand-ins for Pulumi's plugins ${standIns.map(([name]) => name).join(" and ")}${plugins.why ? `: ${plugins.why}` : ""}`,
        ]
      : []),
  ];
}
