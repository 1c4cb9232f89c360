import type { Plugin } from "../provider/kind";
import { container } from "./container/kind";
import { connect, type Engine, engineConfig } from "./engine";
import { network } from "./network";
import { remoteImage } from "./remote-image";
import { volume } from "./volume";

/** The stand-in for Pulumi's docker plugin, of the version of the installed SDK. */
export function dockerPlugin(): Plugin<Engine> {
  return {
    name: "docker",
    version: require("@pulumi/docker/package.json").version,
    config: engineConfig,
    connect,
    isStored: ({ unfinished }, urn, id) => unfinished.isStored(urn, id),
    close: ({ unfinished }) => unfinished.end(),
    kinds: {
      "docker:index/container:Container": container,
      "docker:index/network:Network": network,
      "docker:index/remoteImage:RemoteImage": remoteImage,
      "docker:index/volume:Volume": volume,
    },
  };
}
