import { describe, expect, test } from "vitest";
import { listen } from "../../offline/images/clickhouse/front/listen";
import { parseXml } from "../../offline/images/clickhouse/front/xml";

/** Where it listens by this configuration, on a machine that has these addresses. */
async function hostsFor(config: string, addresses: readonly string[]): Promise<readonly string[]> {
  const hosts: string[] = [];
  const front = {
    listen: async (host: string, port: number) => {
      if (!addresses.includes(host)) throw new Error(`no address ${host}:${port}`);
      hosts.push(host);
    },
  };
  await listen(front, parseXml(`<clickhouse>${config}</clickhouse>`, "config.xml"));
  return hosts;
}

describe("the server listens", () => {
  const both = "<listen_host>::</listen_host><listen_host>0.0.0.0</listen_host>";

  test("on this machine's own addresses, where the configuration names none; one of them will do", async () => {
    expect(await hostsFor("", ["127.0.0.1", "::1"])).toEqual(["127.0.0.1", "::1"]);
    expect(await hostsFor("", ["127.0.0.1"])).toEqual(["127.0.0.1"]);
    await expect(hostsFor("", [])).rejects.toThrow(
      "listening on port 8123: 127.0.0.1: no address 127.0.0.1:8123; ::1: no address ::1:8123",
    );
  });

  test("on every address that the configuration names", async () => {
    expect(await hostsFor(both, ["::", "0.0.0.0"])).toEqual(["::", "0.0.0.0"]);
    await expect(hostsFor(both, ["0.0.0.0"])).rejects.toThrow("no address :::8123");
  });

  test("where it can with listen_try, and must somewhere", async () => {
    const tried = `${both}<listen_try>1</listen_try><http_port>1</http_port>`;
    expect(await hostsFor(tried, ["0.0.0.0"])).toEqual(["0.0.0.0"]);
    await expect(hostsFor(tried, [])).rejects.toThrow("listening on port 1: ");
  });
});
