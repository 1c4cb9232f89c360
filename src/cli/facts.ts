import { z } from "zod";
import { serviceNames } from "../images";
import type { StackState } from "./engine/state";
import { resourceTypes } from "./engine/state";

const credentials = z.object({ user: z.string(), password: z.string() });

const outputs = z.object({
  endpoints: z.record(z.string(), z.string()),
  credentials: z.record(z.string(), credentials),
  pipeline: z.object({
    database: z.string(),
    publication: z.string(),
    slot: z.string(),
    connector: z.string(),
    topicPrefix: z.string(),
    consumerGroup: z.string(),
    clickhouseDatabase: z.string(),
    tables: z.array(z.object({ source: z.string(), target: z.string(), topic: z.string() })),
    bindAddress: z.string(),
    services: z.array(z.enum(serviceNames)),
    missing: z.array(z.enum(serviceNames)),
  }),
});

/** What the running stack says about itself: its outputs (src/program.ts). */
export type StackFacts = z.output<typeof outputs>;

export type Credentials = z.output<typeof credentials>;

/** @returns undefined where the stack is not up, wholly or because an update did not get that far. */
export function factsOf(state: StackState): StackFacts | undefined {
  // After `down --keep-data` the outputs of the time before are still there, as long as there are volumes.
  if (!state.resources.some(({ type }) => type === resourceTypes.container)) return undefined;
  return factsIn(state.outputs);
}

/** The same, from the outputs of an update that has just ended. */
export function factsIn(values: unknown): StackFacts | undefined {
  const parsed = outputs.safeParse(values);
  return parsed.success ? parsed.data : undefined;
}

/** A user of the stack that it must have. */
export function credentialsFor(facts: StackFacts, service: string): Credentials {
  const found = facts.credentials[service];
  if (!found)
    throw new Error(
      `the stack's output "credentials" has no ${service}; it has ${Object.keys(facts.credentials).join(", ")}`,
    );
  return found;
}

/** The address of a service of the stack. */
export function endpointOf(facts: StackFacts, service: string): string {
  const found = facts.endpoints[service];
  if (!found)
    throw new Error(
      `the stack's output "endpoints" has no ${service}; it has ${Object.keys(facts.endpoints).join(", ")}`,
    );
  return found;
}
