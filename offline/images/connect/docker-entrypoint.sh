#!/usr/bin/env bash
# Starts a Kafka Connect worker the way Debezium's image does: variables become the worker's properties, then
# this process becomes the worker. Any other command than `start` is simply run.
set -euo pipefail

config=$KAFKA_HOME/config

main() {
  if [[ ${1:-} != start ]]; then exec "$@"; fi
  refuse_extras
  require GROUP_ID "an id shared by the workers of one Connect cluster and by nothing else on this Kafka"
  require CONFIG_STORAGE_TOPIC "a compacted topic with one partition, for the connectors' configurations"
  require OFFSET_STORAGE_TOPIC "a compacted topic, for the connectors' positions"
  name_settings
  # Files that were mounted there stay.
  cp --recursive --no-clobber "$KAFKA_HOME/config.orig/." "$config/"
  write_properties "$config/connect-distributed.properties"
  set_java_options
  exec "$KAFKA_HOME/bin/connect-distributed.sh" "$config/connect-distributed.properties"
}

# What the official image can switch on and this one does not hold.
refuse_extras() {
  local name
  for name in ENABLE_APICURIO_CONVERTERS ENABLE_DEBEZIUM_SCRIPTING ENABLE_JOLOKIA ENABLE_OTEL; do
    if [[ ${!name:-false} == true ]]; then
      fail "$name=true: the local image has Kafka Connect and Debezium alone; use the official image for it"
    fi
  done
  if [[ -n ${APICURIO_REGISTRY:-} ]]; then
    fail "APICURIO_REGISTRY=$APICURIO_REGISTRY: the local image has no Apicurio converters; use the official image"
  fi
}

require() {
  if [[ -z ${!1:-} ]]; then fail "$1 is not set; it must be $2"; fi
}

# The short names that the official image knows become CONNECT_ variables.
name_settings() {
  local own_address
  own_address=$(hostname -i 2>/dev/null | cut -d ' ' -f 1) || own_address=localhost
  export CONNECT_BOOTSTRAP_SERVERS=${BOOTSTRAP_SERVERS:-0.0.0.0:9092}
  export CONNECT_GROUP_ID=$GROUP_ID
  export CONNECT_CONFIG_STORAGE_TOPIC=$CONFIG_STORAGE_TOPIC
  export CONNECT_OFFSET_STORAGE_TOPIC=$OFFSET_STORAGE_TOPIC
  if [[ -n ${STATUS_STORAGE_TOPIC:-} ]]; then export CONNECT_STATUS_STORAGE_TOPIC=$STATUS_STORAGE_TOPIC; fi
  export CONNECT_KEY_CONVERTER=${KEY_CONVERTER:-org.apache.kafka.connect.json.JsonConverter}
  export CONNECT_VALUE_CONVERTER=${VALUE_CONVERTER:-org.apache.kafka.connect.json.JsonConverter}
  export CONNECT_REST_ADVERTISED_HOST_NAME=${ADVERTISED_HOST_NAME:-$own_address}
  export CONNECT_REST_ADVERTISED_PORT=${ADVERTISED_PORT:-8083}
  export CONNECT_OFFSET_FLUSH_INTERVAL_MS=${OFFSET_FLUSH_INTERVAL_MS:-60000}
  export CONNECT_OFFSET_FLUSH_TIMEOUT_MS=${OFFSET_FLUSH_TIMEOUT_MS:-5000}
  export CONNECT_TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS=${SHUTDOWN_TIMEOUT:-10000}
}

# CONNECT_A_B=c becomes a.b=c in the file, in place of a line for a.b that it may have.
write_properties() {
  local file=$1 variable line
  local -A properties=()
  while read -r variable; do
    # Settings of the log are not the worker's.
    if [[ $variable == CONNECT_LOG4J* ]]; then continue; fi
    properties[$(property_name "$variable")]=${!variable}
  done < <(compgen -e CONNECT_)
  local -a lines=()
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ -z ${properties[${line%%=*}]+given} ]]; then lines+=("$line"); fi
  done <"$file"
  local name
  for name in $(printf '%s\n' "${!properties[@]}" | sort); do
    if [[ ${properties[$name]} == *$'\n'* ]]; then
      fail "the value of $name has more than one line; put it into a file that the worker reads"
    fi
    lines+=("$name=${properties[$name]}")
  done
  printf '%s\n' "${lines[@]}" >"$file"
}

property_name() {
  local name=${1#CONNECT_}
  name=${name,,}
  echo "${name//_/.}"
}

set_java_options() {
  if [[ -n ${HEAP_OPTS:-} ]]; then export KAFKA_HEAP_OPTS=$HEAP_OPTS; fi
  if [[ -n ${JMXPORT:-} && -n ${JMXHOST:-} ]]; then
    export KAFKA_JMX_OPTS="-Djava.rmi.server.hostname=$JMXHOST -Dcom.sun.management.jmxremote\
 -Dcom.sun.management.jmxremote.port=$JMXPORT -Dcom.sun.management.jmxremote.rmi.port=$JMXPORT\
 -Dcom.sun.management.jmxremote.authenticate=${JMXAUTH:-false} -Dcom.sun.management.jmxremote.ssl=${JMXSSL:-false}"
  fi
  if [[ ${ENABLE_JMX_EXPORTER:-false} == true ]]; then
    if [[ ! -e $config/metrics.yaml ]]; then
      fail "ENABLE_JMX_EXPORTER=true: there is no $config/metrics.yaml, the JMX exporter's rules; mount one"
    fi
    local agent
    agent=$(ls "$KAFKA_HOME"/libs/jmx_prometheus_javaagent*.jar 2>/dev/null) ||
      fail "ENABLE_JMX_EXPORTER=true: there is no jmx_prometheus_javaagent*.jar in $KAFKA_HOME/libs"
    export KAFKA_OPTS="${KAFKA_OPTS:-} -javaagent:$agent=9404:$config/metrics.yaml"
  fi
}

fail() {
  echo "docker-entrypoint.sh: error: $*" >&2
  exit 1
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
