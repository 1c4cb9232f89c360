import { type Admin, Kafka, type KafkaConfig, logLevel } from "kafkajs";
import { messageOf, waitFor } from "./retry";
import { UnreachableError } from "./unreachable";

/**
 * A Kafka client. Quiet: what goes wrong is in the errors that its calls throw. Each call is tried for about 5 s, which
 * outlasts a change of leader or controller; whoever waits longer, waits around it.
 * @param bootstrapServers `host:port`, several with commas.
 */
export function kafka(bootstrapServers: string, more: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({
    clientId: "cdc-stack",
    brokers: bootstrapServers.split(",").map((server) => server.trim()),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, factor: 0, multiplier: 2, maxRetryTime: 2_000, retries: 6 },
    ...more,
  });
}

/**
 * Connects as administrator, hands that to `work`, and disconnects.
 * @param waitMs how long a broker that does not answer yet is waited for.
 * @throws UnreachableError when none answers in time.
 */
export async function withKafkaAdmin<T>(
  bootstrapServers: string,
  waitMs: number,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = await connectedAdmin(bootstrapServers, waitMs);
  try {
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function connectedAdmin(bootstrapServers: string, waitMs: number): Promise<Admin> {
  const what = `Kafka at ${bootstrapServers}`;
  try {
    return await waitFor(
      async () => {
        // One attempt each: the waiting is ours, and an admin that failed to connect is not used again.
        const probe = kafka(bootstrapServers, { retry: { retries: 0 } }).admin();
        try {
          await probe.connect();
          // Takes connections before it has a controller: only then it can do anything.
          const { controller } = await probe.describeCluster();
          if (controller === null || controller < 0) return undefined;
        } finally {
          await probe.disconnect().catch(() => {});
        }
        const admin = kafka(bootstrapServers).admin();
        await admin.connect();
        return admin;
      },
      { what, timeoutMs: waitMs },
    );
  } catch (error) {
    throw new UnreachableError(
      `${messageOf(error)}. Is it running, and does the address name it as this machine sees it?`,
      { cause: error },
    );
  }
}
