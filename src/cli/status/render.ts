import { bytes, table } from "../ui/format";
import type { Status } from "./model";

/** The status for people. */
export function render(status: Status): readonly string[] {
  const { services, connector, slot, consumers, tables, toolchain, problems, notes } = status;
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    ...table([
      ["SERVICE", "STATE", "HEALTH", "URL"],
      ...services.map(({ service, state, health, url, restarts }) => [
        service,
        restarts > 0 ? `${state} (restarted ${restarts}×)` : state,
        health,
        url,
      ]),
    ]),
    "",
    ...table([
      ["connector", connector ? `${connector.name}: ${connector.state}` : "(unknown)"],
      ...(connector?.tasks ?? []).map(({ id, state }) => [`  task ${id}`, state]),
      [
        "replication slot",
        slot
          ? `${slot.name}: ${slot.active ? "active" : "inactive"}, ${bytes(slot.lagBytes)} behind`
          : "(unknown)",
      ],
    ]),
    "",
    ...table([
      ["TABLE", "POSTGRES", "CLICKHOUSE", "OFFSETS BEHIND IN KAFKA"],
      ...tables.map(({ source, target, postgresRows, clickhouseRows }, index) => [
        `${source} → ${target}`,
        number(postgresRows),
        number(clickhouseRows),
        consumers[index] ? number(consumers[index].lag) : "?",
      ]),
    ]),
    "",
    ...table([
      ["pulumi", toolchain.pulumi],
      ...Object.entries(toolchain.plugins).map(([name, origin]) => [`plugin ${name}`, origin]),
      ["images", toolchain.images],
      ...(toolchain.missing.length > 0 ? [["left out", toolchain.missing.join(", ")]] : []),
      ["state", toolchain.state],
    ]),
    "",
    ...notes.map((note) => `note: ${note}`),
    ...(problems.length === 0 ? ["healthy"] : ["not healthy:", ...problems.map((problem) => `  ${problem}`)]),
  ];
}
