// The one door to offline/: what src/ takes from there, for where no image registry or plugin download is reachable.

export {
  ensureLocalImages,
  fetchJmxExporter,
  localReferences,
  localServices,
} from "../../../offline/images";
export { lackingTools, thisHost } from "../../../offline/images/tools";
export { installStandIns, isStandIn } from "../../../offline/plugins/install";
export {
  buildLanguageHost,
  buildPulumi,
  builtPulumi,
  pulumiVersion,
} from "../../../offline/toolchain/build";
