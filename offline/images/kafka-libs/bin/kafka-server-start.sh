#!/usr/bin/env bash
# kafka-server-start.sh SERVER.PROPERTIES [--override NAME=VALUE]…
set -eu
# Without following links: bin may be one, while config is the image's own.
home=$(cd -L "$(dirname "$0")/.." && pwd -L)
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}
export KAFKA_LOG4J_OPTS=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/log4j2.yaml}
exec "$home/bin/kafka-run-class.sh" kafka.Kafka "$@"
