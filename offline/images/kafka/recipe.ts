import type { Recipe } from "../recipe";

/** A Kafka broker behind the interface of docker.io/apache/kafka:4. */
export const recipe: Recipe = { name: "kafka", from: "kafka-libs", folder: __dirname, versions: {} };
