import { type CdcConfig, type OptionalService, optionalServices } from "./config";
import { officialImages, type ResolvedImages, type ServiceName, serviceNames } from "./images";

/** Which services are part of the stack, and what each runs on. */
export interface ServicePlan {
  /** In the order in which the data flows. */
  readonly services: readonly ServiceName[];
  /** Services that are wanted, but for which this machine has no image. */
  readonly missing: readonly ServiceName[];
  /** Reference of the image of a service that is part of the stack. */
  readonly image: (service: ServiceName) => string;
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
  return {
    services: wanted.filter((service) => images[service]),
    missing,
    image: (service) => images[service] as string,
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
