import { type CdcConfig, type OptionalService, optionalServices } from "./config";
import {
  type JmxExporter,
  officialImages,
  type ResolvedImages,
  type ServiceName,
  serviceNames,
} from "./images";

/** Which services are part of the stack, and what each runs on. */
export interface ServicePlan {
  /** In the order in which the data flows. */
  readonly services: readonly ServiceName[];
  /** Services that are wanted, but for which this machine has no image. */
  readonly missing: readonly ServiceName[];
  /** Reference of the image of a service that is part of the stack. */
  readonly image: (service: ServiceName) => string;
  /** Where the JMX exporter of Kafka and of Connect comes from. */
  readonly jmxExporter: (service: "kafka" | "connect") => JmxExporter | undefined;
  /** The services that Prometheus collects metrics of. */
  readonly scraped: readonly ServiceName[];
}

/**
 * @param resolved what the bring-up has found out about images; without it, official ones.
 * @throws Error when the pipeline itself would lack an image.
 */
export function planServices(config: CdcConfig, resolved: ResolvedImages | undefined): ServicePlan {
  const wanted = serviceNames.filter((service) => config.services[service as OptionalService] ?? true);
  const images = { ...imagesFrom(config, resolved), ...config.imageOverrides };
  const missing = wanted.filter((service) => !images[service]);
  const unknown = missing.filter(
    (service) => !resolved?.missing.includes(service) || !optionalServices.some((name) => name === service),
  );
  if (unknown.length > 0) {
    throw new Error(
      `no image is known for ${unknown.join(", ")}: run "npm run up" once, which finds or builds it, ` +
        "or name one in cdc:imageOverrides",
    );
  }
  const services = wanted.filter((service) => images[service]);
  // An image that the configuration names is taken for one like the official.
  const jmxExporter = (service: "kafka" | "connect") =>
    resolved?.mode === "local" && !config.imageOverrides[service] ? "in the image" : resolved?.jmxExporter;
  return {
    services,
    missing,
    image: (service) => images[service] as string,
    jmxExporter,
    scraped: services.filter(
      (service) => !(service === "kafka" || service === "connect") || jmxExporter(service) !== undefined,
    ),
  };
}

function imagesFrom(
  config: CdcConfig,
  resolved: ResolvedImages | undefined,
): Partial<Record<ServiceName, string>> {
  if (config.images === "registry" || resolved?.mode === "registry") return officialImages;
  if (resolved) return resolved.images;
  return config.images === "auto" ? officialImages : {};
}
