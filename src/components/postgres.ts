import * as pulumi from "@pulumi/pulumi";
import { readProjectFile } from "../lib/paths";
import { dataVolume, type ServiceArgs, ServiceContainer } from "./container";
import { type Credentials, newPassword } from "./password";

export interface PostgresArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** The database that is made when the data volume is new. */
  readonly database: string;
  /** Whether a new database gets the demo schema. */
  readonly demo: boolean;
  /** WAL in MiB that a stalled slot may hold back before Postgres gives the slot up. */
  readonly maxSlotWalKeepSizeMb: number;
  /** Further server settings, as after `postgres -c`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Whether the data volume is protected from being deleted. */
  readonly keepData: boolean;
}

/** PostgreSQL, the source database. */
export class Postgres extends pulumi.ComponentResource {
  /** Host name on the network. */
  readonly host = "postgres";
  /** Port on the network. */
  readonly port = 5432;
  readonly superuser: Credentials;

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Postgres", name, {}, opts);
    // Postgres keeps it in the data volume, so the one goes with the other.
    const password = newPassword(`${name}-password`, { parent: this, protect: args.keepData });
    const volume = dataVolume(`${name}-data`, "postgres", { parent: this, keepData: args.keepData });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "postgres",
        command: ["postgres", ...serverSettings(args)],
        env: {
          POSTGRES_USER: superuser,
          POSTGRES_DB: args.database,
          POSTGRES_PASSWORD_FILE: passwordFile,
          POSTGRES_INITDB_ARGS: "--auth-host=scram-sha-256 --data-checksums",
        },
        files: [
          { path: passwordFile, content: password, mode: "0400" },
          ...(args.demo
            ? [
                {
                  path: "/docker-entrypoint-initdb.d/10-demo.sql",
                  content: readProjectFile("sql", "postgres", "demo.sql"),
                },
              ]
            : []),
        ],
        volumes: [{ volume, path: "/var/lib/postgresql/data" }],
        ports: [{ inside: this.port, published: args.port }],
        // With a host name: the server that runs while the database is made has no network port.
        healthcheck: {
          command: ["pg_isready", "-q", "-h", "127.0.0.1", "-U", superuser, "-d", args.database],
          everySeconds: 5,
        },
        // The entrypoint starts as root, gives the volume to postgres and becomes postgres.
        capabilities: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
        // A fast shutdown writes a checkpoint.
        stopSeconds: 60,
        // Parallel queries share memory through /dev/shm.
        shmMb: Math.max(64, Math.floor(args.memoryMb / 4)),
      },
      { parent: this },
    );
    this.superuser = { user: superuser, password };
    this.registerOutputs({ host: this.host, port: this.port });
  }
}

const superuser = "postgres";
const passwordFile = "/etc/cdc/postgres/password";

function serverSettings({ memoryMb, maxSlotWalKeepSizeMb, settings }: PostgresArgs): string[] {
  const all: Record<string, string> = {
    wal_level: "logical",
    max_wal_senders: "10",
    max_replication_slots: "10",
    max_slot_wal_keep_size: `${maxSlotWalKeepSizeMb}MB`,
    max_wal_size: "2GB",
    wal_compression: "on",
    password_encryption: "scram-sha-256",
    // A quarter for itself, the rest for the page cache: PostgreSQL's documentation, "Resource Consumption".
    shared_buffers: `${Math.floor(memoryMb / 4)}MB`,
    effective_cache_size: `${Math.floor((memoryMb * 5) / 8)}MB`,
    maintenance_work_mem: `${Math.floor(memoryMb / 16)}MB`,
    ...settings,
  };
  return Object.entries(all).flatMap(([setting, value]) => ["-c", `${setting}=${value}`]);
}
