import { failureFrom } from "./failure";

/** The calls of chdb's native module that are used here. */
interface Native {
  CreateConnection(path: string, args: readonly string[]): unknown;
  CloseConnection(connection: unknown): void;
  QueryAsyncConnection(connection: unknown, sql: string, format: string): Promise<NativeResult>;
  InsertRawAsyncConnection(
    connection: unknown,
    sql: string,
    data: Buffer,
    countLines: boolean,
  ): Promise<{ elapsed: number; rowsWritten: number; bytesWritten: number }>;
  DurableClassifyAsync(connection: unknown, sql: string, database: null): Promise<Analysis>;
}

interface NativeResult {
  readonly bytes: Buffer;
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface Analysis {
  /** How many queries the engine's own parser finds; 0 where it finds an error. */
  readonly statementCount: number;
  /** 0: only reads; other numbers: changes something, or cannot be told. */
  readonly queryClass: number;
}

export interface Result {
  readonly bytes: Buffer;
  /** Seconds. */
  readonly elapsed: number;
  readonly rows: number;
  readonly rowBytes: number;
  readonly written: number;
  readonly writtenBytes: number;
}

/** ClickHouse in this process. It stays up as long as the connection that is made here. */
export class Engine {
  private readonly native: Native;
  private readonly keeper: Connection;

  constructor(
    private readonly dataPath: string,
    private readonly args: readonly string[],
  ) {
    const name = process.arch === "arm64" ? "@chdb/lib-linux-arm64-gnu" : "@chdb/lib-linux-x64-gnu";
    this.native = require(name) as Native;
    this.keeper = this.open();
  }

  /** A session of its own: settings, role, database and temporary tables are its own. Takes about 0.3 ms. */
  open(): Connection {
    return new Connection(this.native, this.native.CreateConnection(this.dataPath, this.args));
  }

  /** Runs one query as the engine's own user, which may do everything. */
  async run(sql: string, format = "TabSeparated"): Promise<Result> {
    const connection = this.open();
    try {
      return await connection.run(sql, format);
    } finally {
      connection.close();
    }
  }

  /** Stops tables and consumers. All other connections must be closed. Blocks until done. */
  shutdown(): void {
    this.keeper.close();
  }
}

export class Connection {
  constructor(
    private readonly native: Native,
    private readonly handle: unknown,
  ) {}

  /** Runs queries; the result is the last one's. Works off the event loop. */
  async run(sql: string, format: string): Promise<Result> {
    const result = await this.call(() => this.native.QueryAsyncConnection(this.handle, sql, format));
    const { bytes, elapsed, rowsRead, bytesRead } = result;
    return { bytes, elapsed, rows: rowsRead, rowBytes: bytesRead, written: 0, writtenBytes: 0 };
  }

  /** Runs an INSERT, which tells how many rows it has written. */
  async insert(sql: string): Promise<Result> {
    const result = await this.call(() =>
      this.native.InsertRawAsyncConnection(this.handle, sql, Buffer.alloc(0), false),
    );
    const { elapsed, rowsWritten, bytesWritten } = result;
    return {
      bytes: Buffer.alloc(0),
      elapsed,
      rows: rowsWritten,
      rowBytes: bytesWritten,
      written: rowsWritten,
      writtenBytes: bytesWritten,
    };
  }

  /** What the engine's own parser makes of a text, without running it. */
  analyze(sql: string): Promise<Analysis> {
    return this.call(() => this.native.DurableClassifyAsync(this.handle, sql, null));
  }

  close(): void {
    this.native.CloseConnection(this.handle);
  }

  private async call<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw failureFrom(error);
    }
  }
}
