import type { VolumeCreateOptions } from "dockerode";
import type { Kind } from "../provider/kind";
import { map, object, type Properties, set, string } from "../provider/schema";
import { asking, askingFor, type Engine, labels, removeWhenFree } from "./engine";

// Traits and behaviour: resource_docker_volume.go of terraform-provider-docker.
const properties: Properties = {
  cluster: object(
    {
      availability: string(),
      group: string(),
      id: string(),
      limitBytes: string(),
      requiredBytes: string(),
      scope: string(),
      sharing: string(),
      topologyPreferred: string(),
      topologyRequired: string(),
      type: string(),
    },
    { unsupported: "it makes no cluster volumes" },
  ),
  driver: string({ forceNew: true, computed: true }),
  driverOpts: map({ forceNew: true }),
  labels: set(labels.property, { forceNew: true }),
  mountpoint: string({ output: true }),
  name: string({ forceNew: true, computed: true }),
};

export const volume: Kind<Engine> = {
  properties,
  autonamed: true,
  schemaVersion: "1",

  // As with the official plugin, a volume that exists already under this name is taken over.
  async create({ service: { docker } }, inputs) {
    const options: VolumeCreateOptions = {
      Name: inputs.name as string,
      Driver: inputs.driver as string | undefined,
      DriverOpts: inputs.driverOpts as Record<string, string> | undefined,
      Labels: labels.toEngine(inputs.labels),
    };
    const made = await asking(`create volume "${inputs.name}"`, () => docker.createVolume(options));
    return { id: made.name };
  },

  async read({ service: { docker } }, id) {
    const found = await askingFor(`inspect volume ${id}`, () => docker.getVolume(id).inspect());
    if (found === undefined) return undefined;
    const state = {
      driver: found.Driver,
      driverOpts: found.Options ?? {},
      labels: labels.fromEngine(found.Labels),
      mountpoint: found.Mountpoint,
      name: found.Name,
    };
    return { id: found.Name, state };
  },

  async delete({ service: { docker }, signal }, id) {
    await removeWhenFree(
      `volume ${id}`,
      () => docker.getVolume(id).remove({ force: true }),
      /volume is in use/i,
      signal,
    );
  },
};
