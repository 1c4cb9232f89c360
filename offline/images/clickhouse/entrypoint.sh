#!/usr/bin/env bash
# Starts ClickHouse the way the official image does, on the same variables and paths: gives the data folder to the
# user clickhouse, writes the first user from CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, then becomes the server.
set -Eeuo pipefail

config=${CLICKHOUSE_CONFIG:-/etc/clickhouse-server/config.xml}
users=/etc/clickhouse-server/users.d/default-user.xml

main() {
  if [[ $# -gt 0 && $1 != --* ]]; then exec "$@"; fi
  if [[ -z ${FRONT_PREPARED:-} ]]; then
    prepare
    export FRONT_PREPARED=1
    if [[ $(id -u) == 0 ]]; then
      exec setpriv --reuid=clickhouse --regid=clickhouse --init-groups --inh-caps=-all -- "$0" "$@"
    fi
  fi
  unset FRONT_PREPARED CLICKHOUSE_USER CLICKHOUSE_PASSWORD CLICKHOUSE_PASSWORD_FILE
  cd /var/lib/clickhouse
  # The engine writes its log to standard error; a container's log is one stream.
  exec node --max-old-space-size=128 /usr/lib/clickhouse-front/front.js --config-file="$config" "$@" 2>&1
}

prepare() {
  mkdir -p /var/lib/clickhouse
  if [[ $(id -u) == 0 && ${CLICKHOUSE_DO_NOT_CHOWN:-0} != 1 ]]; then
    find /var/lib/clickhouse ! -user clickhouse -exec chown --no-dereference clickhouse:clickhouse {} +
  fi
  if [[ ${CLICKHOUSE_SKIP_USER_SETUP:-0} != 1 ]]; then write_user; fi
}

write_user() {
  local name=${CLICKHOUSE_USER:-default} password=${CLICKHOUSE_PASSWORD:-}
  if [[ -n ${CLICKHOUSE_PASSWORD_FILE:-} ]]; then password=$(<"$CLICKHOUSE_PASSWORD_FILE"); fi
  local access=${CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT:-0}
  if [[ ! $name =~ ^[A-Za-z_][A-Za-z0-9_-]*$ ]]; then
    echo "entrypoint.sh: CLICKHOUSE_USER is $name: it becomes the name of an XML element;" \
      "use letters, digits, _ and -" >&2
    exit 1
  fi
  if [[ $name == default && -z $password && $access == 0 ]]; then
    echo "entrypoint.sh: neither CLICKHOUSE_USER nor CLICKHOUSE_PASSWORD is set: user default may come from" \
      "this container only"
    (
      umask 077
      printf '<clickhouse><users><default><networks replace="replace"><ip>::1</ip><ip>127.0.0.1</ip></networks></default></users></clickhouse>\n' >"$users"
    )
  else
    local hash
    hash=$(printf %s "$password" | sha256sum | cut -d' ' -f1)
    (
      umask 077
      cat >"$users" <<XML
<clickhouse>
  <users>
    <default remove="remove"></default>
    <$name>
      <profile>default</profile>
      <networks><ip>::/0</ip></networks>
      <password_sha256_hex>$hash</password_sha256_hex>
      <quota>default</quota>
      <access_management>$access</access_management>
    </$name>
  </users>
</clickhouse>
XML
    )
  fi
  if [[ $(id -u) == 0 ]]; then chown clickhouse:clickhouse "$users"; fi
}

main "$@"
