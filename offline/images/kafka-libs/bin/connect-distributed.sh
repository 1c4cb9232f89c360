#!/usr/bin/env bash
# connect-distributed.sh WORKER.PROPERTIES
set -eu
# Without following links: bin may be one, while config is the image's own.
home=$(cd -L "$(dirname "$0")/.." && pwd -L)
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms256M -Xmx2G}
export KAFKA_LOG4J_OPTS=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/connect-log4j2.yaml}
exec "$home/bin/kafka-run-class.sh" org.apache.kafka.connect.cli.ConnectDistributed "$@"
