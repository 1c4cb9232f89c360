import Docker from "dockerode";
import { dockerNameOf, resourceTypes, type StackState } from "./state";

const patienceMs = 3000;

/** Sizes of volumes in bytes, by name; without them where the engine takes long to find out. */
export async function volumeSizes(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (names.length === 0) return new Map();
  try {
    const { Volumes } = (await new Docker({ timeout: patienceMs }).df()) as {
      Volumes?: readonly { Name: string; UsageData?: { Size: number } }[];
    };
    const found = (Volumes ?? []).filter(({ Name }) => names.includes(Name));
    return new Map(
      found.flatMap(({ Name, UsageData }) => (UsageData ? [[Name, UsageData.Size] as const] : [])),
    );
  } catch {
    return new Map();
  }
}

/**
 * To be called before an update: Docker hands out the volume that is there already when one of its name is made, so the
 * stack would take over the data of another one, whose passwords it does not have, and delete it one day.
 * @throws Error that names the volumes with data in them which this stack's state does not hold.
 */
export async function refuseForeignVolumes({ resources }: StackState, stackName: string): Promise<void> {
  const held = resources.filter(({ type }) => type === resourceTypes.volume).map(dockerNameOf);
  const { Volumes } = await new Docker().listVolumes({ filters: { label: ["cdc.service"] } });
  const others = (Volumes ?? []).map(({ Name }) => Name).filter((name) => !held.includes(name));
  const sizes = await volumeSizes(others);
  // An empty one is what an update has left that was killed right then, and nobody's data.
  const foreign = others.filter((name) => sizes.get(name) !== 0).sort();
  if (foreign.length > 0)
    throw new Error(
      `${foreign.join(", ")}: here already, with data of another stack or checkout, not of the stack ${stackName}.\n` +
        "Bring up the stack that they belong to (npm run up -- --stack <name>, in its checkout), or take it down " +
        `with its data (npm run down). Where nobody wants the data: docker volume rm ${foreign.join(" ")}`,
    );
}
