import type { Connection, Engine } from "./engine";
import { Failure } from "./failure";
import type { QueryRequest } from "./request";

interface Session {
  readonly connection: Connection;
  busy: boolean;
  isNew: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Sessions of the HTTP interface: temporary tables and settings that last from one request to the next. */
export class Sessions {
  private readonly open = new Map<string, Session>();

  constructor(private readonly engine: Engine) {}

  /** Runs an action on the session's connection. One at a time: a second one is refused, as ClickHouse does. */
  async use<T>(
    user: string,
    { id, seconds, mustExist }: NonNullable<QueryRequest["session"]>,
    action: (connection: Connection, isNew: boolean) => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([user, id]);
    const session = this.open.get(key) ?? this.start(key, id, mustExist);
    if (session.busy)
      throw new Failure(373, `Session ${id} is locked by a concurrent client`, "SESSION_IS_LOCKED");
    session.busy = true;
    clearTimeout(session.timer);
    try {
      return await action(session.connection, session.isNew);
    } finally {
      session.isNew = false;
      session.busy = false;
      session.timer = setTimeout(() => this.end(key), seconds * 1000).unref();
    }
  }

  close(): void {
    for (const key of [...this.open.keys()]) this.end(key);
  }

  private start(key: string, id: string, mustExist: boolean): Session {
    if (mustExist) throw new Failure(372, `Session ${id} not found`, "SESSION_NOT_FOUND");
    const session: Session = { connection: this.engine.open(), busy: false, isNew: true, timer: undefined };
    this.open.set(key, session);
    return session;
  }

  private end(key: string): void {
    const session = this.open.get(key);
    if (!session || session.busy) return;
    clearTimeout(session.timer);
    this.open.delete(key);
    session.connection.close();
  }
}
