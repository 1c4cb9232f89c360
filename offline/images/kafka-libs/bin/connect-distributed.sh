#!/usr/bin/env bash
# connect-distributed.sh WORKER.PROPERTIES
set -eu
here=$(dirname "$0")
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms256M -Xmx2G}
export KAFKA_LOG4J_OPTS=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$here/../config/connect-log4j2.yaml}
exec "$here/kafka-run-class.sh" org.apache.kafka.connect.cli.ConnectDistributed "$@"
