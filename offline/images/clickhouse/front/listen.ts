import { findAll, isTrue, textAt } from "./config";
import type { Front } from "./server";
import type { Element } from "./xml";

/**
 * Opens the HTTP port on every `listen_host`; without any, on this machine's own addresses, of which one will do.
 * @throws Error for a host that cannot be listened on, unless `listen_try` is set; and where there is no other.
 */
export async function listen(front: Pick<Front, "listen">, config: Element): Promise<void> {
  const port = Number(textAt(config, "http_port") ?? 8123);
  const given = findAll(config, "listen_host").map((host) => host.text.trim());
  const hosts = given.length > 0 ? given : ["127.0.0.1", "::1"];
  const failures: string[] = [];
  for (const host of hosts) {
    try {
      await front.listen(host, port);
    } catch (error) {
      failures.push(`${host}: ${(error as Error).message}`);
      if (given.length > 0 && !isTrue(textAt(config, "listen_try"))) throw error;
    }
  }
  if (failures.length === hosts.length) throw new Error(`listening on port ${port}: ${failures.join("; ")}`);
}
