import * as fs from "node:fs";
import * as os from "node:os";
import type { Engine } from "./engine";
import { containerMemory, containerMemoryUsed } from "./memory";
import { literal } from "./query";

type Metric = readonly [name: string, value: number, description: string];

/**
 * system.asynchronous_metrics: the engine in-process has none, so the front keeps a table of that name with the
 * metrics that dashboards ask for. Under ClickHouse's names only what means the same.
 */
export class AsynchronousMetrics {
  private timer: NodeJS.Timeout | undefined;
  private size = 0;

  constructor(
    private readonly engine: Engine,
    private readonly dataPath: string,
  ) {}

  async start(seconds: number): Promise<void> {
    this.size = this.ofProcess().length + ofTables.length;
    await this.engine.run(
      "CREATE TABLE IF NOT EXISTS system.asynchronous_metrics (metric String, value Float64, description String) " +
        // The oldest rows go as new ones come: all metrics are replaced at once.
        `ENGINE = Memory SETTINGS min_rows_to_keep = ${this.size}, max_rows_to_keep = ${this.size}`,
    );
    await this.update();
    this.timer = setInterval(() => void this.update().catch(() => {}), seconds * 1000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async update(): Promise<void> {
    const rows = [
      ...this.ofProcess().map(([name, value, text]) => row(name, String(value), text)),
      ...ofTables.map(([name, query, text]) => row(name, `toFloat64((${query}))`, text)),
    ];
    await this.engine.run(
      `INSERT INTO system.asynchronous_metrics SELECT m.1, m.2, m.3 FROM (SELECT arrayJoin([${rows.join(", ")}]) AS m)`,
    );
  }

  private ofProcess(): readonly Metric[] {
    const { rss } = process.memoryUsage();
    const disk = fs.statfsSync(this.dataPath);
    const total = disk.blocks * disk.bsize;
    const available = disk.bavail * disk.bsize;
    const [load1 = 0, load5 = 0, load15 = 0] = os.loadavg();
    return [
      ["Uptime", process.uptime(), "The server uptime in seconds."],
      [
        "MemoryResident",
        rss,
        "Physical memory used by the server process, the HTTP front included, in bytes.",
      ],
      ["CGroupMemoryTotal", containerMemory(), "The memory that the container may use, in bytes."],
      ["CGroupMemoryUsed", containerMemoryUsed() ?? rss, "The memory that the container uses, in bytes."],
      ["OSMemoryTotal", os.totalmem(), "The total amount of memory on the host system, in bytes."],
      ["LoadAverage1", load1, "The whole system load over 1 minute."],
      ["LoadAverage5", load5, "The whole system load over 5 minutes."],
      ["LoadAverage15", load15, "The whole system load over 15 minutes."],
      ["FilesystemMainPathTotalBytes", total, "The size of the volume that the data is on, in bytes."],
      ["FilesystemMainPathAvailableBytes", available, "Available bytes on the volume that the data is on."],
      ["FilesystemMainPathUsedBytes", total - available, "Used bytes on the volume that the data is on."],
      ["DiskTotal_default", total, "The total size in bytes of the disk."],
      ["DiskAvailable_default", available, "Available bytes on the disk."],
      ["DiskUsed_default", total - available, "Used bytes on the disk."],
    ];
  }
}

const ofTables: readonly (readonly [name: string, query: string, description: string])[] = [
  ["NumberOfDatabases", "SELECT count() FROM system.databases", "Total number of databases on the server."],
  ["NumberOfTables", "SELECT count() FROM system.tables", "Total number of tables, the system's included."],
  ["TotalRowsOfMergeTreeTables", parts("sum(rows)"), "Total amount of rows stored in all MergeTree tables."],
  [
    "TotalBytesOfMergeTreeTables",
    parts("sum(bytes_on_disk)"),
    "Total amount of bytes stored in all MergeTree tables.",
  ],
  ["TotalPartsOfMergeTreeTables", parts("count()"), "Total amount of data parts in all MergeTree tables."],
  [
    "MaxPartCountForPartition",
    "SELECT max(n) FROM (SELECT count() AS n FROM system.parts WHERE active GROUP BY database, table, partition_id)",
    "Maximum number of parts per partition across all partitions of all tables.",
  ],
];

function parts(value: string): string {
  return `SELECT ${value} FROM system.parts WHERE active`;
}

function row(name: string, value: string, description: string): string {
  return `(${literal(name)}, toFloat64(${value}), ${literal(description)})`;
}
