#!/usr/bin/env bash
# kafka-run-class.sh CLASS [ARGUMENT…]: runs a class of Kafka on the variables that Kafka's own script knows:
# KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_JMX_OPTS, JMX_PORT, KAFKA_LOG4J_OPTS, KAFKA_OPTS,
# CLASSPATH, LOG_DIR.
set -eu
# Without following links: bin may be one, while config and logs are those of the image.
home=$(cd -L "$(dirname "$0")/.." && pwd -L)
log_dir=${LOG_DIR:-$home/logs}

heap=${KAFKA_HEAP_OPTS:--Xmx256M}
performance=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true}
log4j=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml}
jmx=${KAFKA_JMX_OPTS:-}
if [[ -n ${JMX_PORT:-} && $jmx != *jmxremote.port=* ]]; then
  jmx+=" -Dcom.sun.management.jmxremote.port=$JMX_PORT -Dcom.sun.management.jmxremote.rmi.port=$JMX_PORT"
  jmx+=" -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false"
fi

# The options are lists of words.
# shellcheck disable=SC2086
exec java $heap $performance $jmx "-Dkafka.logs.dir=$log_dir" $log4j \
  -cp "$home/libs/*${CLASSPATH:+:$CLASSPATH}" ${KAFKA_OPTS:-} "$@"
