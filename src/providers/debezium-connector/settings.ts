import { shown } from "./secrets";
import type { DebeziumConnectorInputs } from "./types";

type Settings = Readonly<Record<string, string>>;

/**
 * The settings that say which changes of which database go where. Under other ones the offsets that Connect keeps are
 * worthless: it is another connector.
 */
export const identitySettings = ["connector.class", "topic.prefix", "slot.name", "database.dbname"] as const;

/** What Connect is to hold. */
export function wantedSettings(inputs: DebeziumConnectorInputs, generation: number): Settings {
  const { settings, connector, generationSetting } = inputs;
  return {
    ...settings,
    ...(generationSetting !== undefined && { [generationSetting]: String(generation) }),
    name: connector,
  };
}

/** The generation in settings that Connect holds; undefined without one, or with one that is not decided yet. */
export function generationIn(found: Settings | undefined, { generationSetting }: DebeziumConnectorInputs) {
  const value = generationSetting === undefined ? undefined : found?.[generationSetting];
  return Number(value) > 0 ? Number(value) : undefined;
}

/** Above those before, also of other connectors on the same topics: seconds since 1970, which fit 32 bits until 2106. */
export function nextGeneration(last = 0): number {
  return Math.max(Math.floor(Date.now() / 1000), last + 1);
}

/** The tables that the connector captures, each as the regular expression that Debezium takes. */
export function includedTables(settings: Settings): readonly string[] {
  return (settings["table.include.list"] ?? "").split(",").filter((table) => table !== "");
}

/** How the settings that Connect holds differ from the wanted ones, in words. */
export function differingSettings(wanted: Settings, found: Settings): string[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].sort();
  return names
    .filter((name) => wanted[name] !== found[name])
    .map((name) => {
      const [should, is] = [wanted[name], found[name]];
      if (is === undefined) return `setting ${name} is missing`;
      if (should === undefined) return `setting ${name} is there too much (${shown(name, is)})`;
      return `setting ${name} is ${shown(name, is)} instead of ${shown(name, should)}`;
    });
}
