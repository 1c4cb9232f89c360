import * as fs from "node:fs";
import * as path from "node:path";
import { copyMavenArtifact, copyMavenDependencies } from "../maven";
import type { Recipe, Stage } from "../recipe";

export const jmxAgentVersion = "1.0.1";

/** Kafka's jars and command-line tools, on which the broker's and Kafka Connect's images stand. */
export const recipe: Recipe = {
  name: "kafka-libs",
  from: "java",
  folder: __dirname,
  versions: { jmxAgent: jmxAgentVersion },
  tools: ["java", "mvn"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("Kafka 4.3 from Maven Central");
  await copyMavenDependencies(stage, path.join(stage.dir, "libs"));
  await copyMavenArtifact(
    stage,
    `io.prometheus.jmx:jmx_prometheus_javaagent:${jmxAgentVersion}`,
    path.join(stage.dir, "jmx"),
  );
  const agent = `jmx_prometheus_javaagent-${jmxAgentVersion}.jar`;
  fs.renameSync(
    path.join(stage.dir, "jmx", agent),
    path.join(stage.dir, "jmx", "jmx_prometheus_javaagent.jar"),
  );
  for (const [script, className] of Object.entries(toolClasses)) {
    const text = `#!/usr/bin/env bash\nexec "$(dirname "$0")/kafka-run-class.sh" ${className} "$@"\n`;
    fs.writeFileSync(path.join(stage.dir, "bin", `${script}.sh`), text, { mode: 0o755 });
  }
}

/** The scripts of Kafka's distribution, which the jars do not hold: each only starts a class. */
const toolClasses: Readonly<Record<string, string>> = {
  "connect-plugin-path": "org.apache.kafka.tools.ConnectPluginPath",
  "kafka-acls": "org.apache.kafka.tools.AclCommand",
  "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
  "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
  "kafka-configs": "kafka.admin.ConfigCommand",
  "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
  "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
  "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
  "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
  "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
  "kafka-dump-log": "org.apache.kafka.tools.DumpLogSegments",
  "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
  "kafka-features": "org.apache.kafka.tools.FeatureCommand",
  "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
  "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
  "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
  "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
  "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
  "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
  "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
  "kafka-storage": "kafka.tools.StorageTool",
  "kafka-topics": "org.apache.kafka.tools.TopicCommand",
  "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
};
