import * as pulumi from "@pulumi/pulumi";
import { parseConfig } from "./config";
import { endpointsOf } from "./endpoints";
import { type ResolvedImages, readResolvedImages } from "./images";
import { planServices } from "./services";
import { CdcStack } from "./stack";
import { qualifiedName, topicOf } from "./tables";

/** What the stack says about itself, to people and to the `cdc` command. */
export type Outputs = ReturnType<typeof program>;

/**
 * The whole program: what `pulumi up` and the `cdc` command run.
 * @param images those that the bring-up has noted, by default; a plan is made with others.
 */
export function program(images: ResolvedImages | undefined = readResolvedImages()) {
  const config = parseConfig(pulumi.runtime.allConfig());
  const plan = planServices(config, images);
  const { credentials, tables } = new CdcStack("cdc", { config, plan });
  return {
    /** URL of each service. */
    endpoints: endpointsOf(config, plan.services),
    /** User and password of each service. */
    credentials: pulumi.secret(credentials),
    /** What is named how. */
    pipeline: {
      database: config.postgres.database,
      publication: config.postgres.publication,
      slot: config.postgres.slot,
      connector: config.connector.name,
      topicPrefix: config.connector.topicPrefix,
      consumerGroup: config.clickhouse.consumerGroup,
      clickhouseDatabase: config.clickhouse.database,
      tables: tables.apply((all) =>
        all.map((table) => ({
          source: qualifiedName(table),
          target: table.target,
          topic: topicOf(config.connector.topicPrefix, qualifiedName(table)),
        })),
      ),
      bindAddress: config.bindAddress,
      services: plan.services,
      missing: plan.missing,
    },
  };
}
