import * as pulumi from "@pulumi/pulumi";
import { parseDocument } from "yaml";
import type { CdcConfig } from "../config";
import { readProjectFile } from "../lib/paths";
import { type ContainerFile, dataVolume, type ServiceArgs, ServiceContainer } from "./container";

export interface AlertmanagerArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** Its URL as people reach it: links in messages begin with it. */
  readonly url: string;
  /** Who is told of alerts; nobody where it is empty. */
  readonly receivers: CdcConfig["alerts"];
  /** Whether the data volume, which holds the silences, is protected from being deleted. */
  readonly keepData: boolean;
}

/** Alertmanager: groups alerts, holds back what only follows from others, keeps silences, tells people. */
export class Alertmanager extends pulumi.ComponentResource {
  /** Its address on the network. */
  readonly url = "http://alertmanager:9093";

  constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Alertmanager", name, {}, opts);
    const volume = dataVolume(`${name}-data`, "alertmanager", { parent: this, keepData: args.keepData });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "alertmanager",
        command: [
          `--config.file=${configFile}`,
          "--storage.path=/alertmanager",
          `--web.external-url=${args.url}`,
          // One alone: there are no others to agree with.
          "--cluster.listen-address=",
        ],
        files: [
          { path: configFile, content: alertmanagerConfig(args.receivers) },
          ...secretFiles(args.receivers),
        ],
        volumes: [{ volume, path: "/alertmanager" }],
        ports: [{ inside: 9093, published: args.port }],
        healthcheck: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9093/-/ready"] },
      },
      { parent: this },
    );
    this.registerOutputs({ url: this.url });
  }
}

const configFile = "/etc/alertmanager/alertmanager.yml";
const secretsPath = "/etc/cdc/alertmanager";
const webhookFile = `${secretsPath}/webhook-url`;
const slackFile = `${secretsPath}/slack-url`;
const mailPasswordFile = `${secretsPath}/mail-password`;

/** What would let others post in our name, or read our mail: the configuration only says where it is. */
function secretFiles({ webhook, slack, email }: AlertmanagerArgs["receivers"]): ContainerFile[] {
  const secrets = [
    [webhookFile, webhook],
    [slackFile, slack?.webhookUrl],
    [mailPasswordFile, email?.password],
  ] as const;
  return secrets.flatMap(([path, content]) =>
    content === undefined ? [] : [{ path, content: pulumi.secret(content) }],
  );
}

/** prometheus/alertmanager.yml with the configured receivers. */
export function alertmanagerConfig({ webhook, slack, email }: AlertmanagerArgs["receivers"]): string {
  const document = parseDocument(readProjectFile("prometheus", "alertmanager.yml"));
  const configured = {
    ...(webhook && { webhook_configs: [{ url_file: webhookFile, send_resolved: true }] }),
    ...(slack && {
      slack_configs: [
        {
          api_url_file: slackFile,
          channel: slack.channel,
          send_resolved: true,
          title: "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }} ({{ .CommonLabels.service }})",
          text:
            "{{ range .Alerts }}*{{ .Labels.severity }}*: {{ .Annotations.summary }}. {{ .Annotations.description }} " +
            "What to do: {{ .Annotations.runbook_url }}\n{{ end }}",
        },
      ],
    }),
    ...(email && {
      email_configs: [
        {
          to: email.to,
          from: email.from,
          smarthost: email.smarthost,
          require_tls: email.requireTls,
          ...(email.user && { auth_username: email.user }),
          ...(email.password && { auth_password_file: mailPasswordFile }),
          send_resolved: true,
        },
      ],
    }),
  };
  if (Object.keys(configured).length > 0) {
    document.setIn(["receivers", 1], { name: "people", ...configured });
    document.setIn(["route", "receiver"], "people");
  }
  return document.toString();
}
