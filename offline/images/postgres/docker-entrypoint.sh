#!/usr/bin/env bash
# Starts PostgreSQL the way the official image does, on the same variables and paths: makes the database
# cluster on an empty volume, runs /docker-entrypoint-initdb.d once, then becomes the server.
set -Eeuo pipefail

main() {
  if [[ ${1:-} == -* ]]; then set -- postgres "$@"; fi
  if [[ ${1:-} == postgres ]] && ! asks_for_text "$@"; then
    take_from_file POSTGRES_USER postgres
    take_from_file POSTGRES_DB "$POSTGRES_USER"
    take_from_file POSTGRES_PASSWORD ""
    take_from_file POSTGRES_INITDB_ARGS ""
    prepare_folders
    if [[ $(id -u) == 0 ]]; then
      exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all -- "$0" "$@"
    fi
    if [[ -s $PGDATA/PG_VERSION ]]; then
      echo "PostgreSQL: using the database in $PGDATA"
    else
      initialize "$@"
    fi
    unset POSTGRES_PASSWORD
  fi
  exec "$@"
}

# Options with which postgres prints something and ends.
asks_for_text() {
  local argument
  for argument; do
    case $argument in
      -\? | --help | --describe-config | -V | --version) return 0 ;;
    esac
  done
  return 1
}

# take_from_file NAME DEFAULT: NAME is its own value, or the content of the file that NAME_FILE names.
take_from_file() {
  local name=$1 file_name=${1}_FILE
  if [[ -n ${!name:-} && -n ${!file_name:-} ]]; then
    fail "$name and $file_name are both set; set one of them"
  fi
  local value=${!name:-$2}
  if [[ -n ${!file_name:-} ]]; then value=$(<"${!file_name}"); fi
  export "$name=$value"
  unset "$file_name"
}

prepare_folders() {
  mkdir -p "$PGDATA" /var/run/postgresql
  if [[ $(id -u) == 0 ]]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
  fi
  # Not ours to change when the container runs as another user; the server says so if it minds.
  chmod 0700 "$PGDATA" || true
}

initialize() {
  local method=${POSTGRES_HOST_AUTH_METHOD:-}
  if [[ -z $POSTGRES_PASSWORD && $method != trust ]]; then
    fail "the database is new and has no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" \
      "(or POSTGRES_HOST_AUTH_METHOD=trust, with which nobody needs one)"
  fi
  local -a options=()
  if [[ ${1:-} == postgres ]]; then options=("${@:2}"); fi
  local target=$PGDATA
  begin
  make_cluster "${options[@]}"
  export PGPASSWORD=$POSTGRES_PASSWORD
  # Without a port on the network, so that nobody takes the server for ready before it is.
  PGUSER=$POSTGRES_USER pg_ctl --pgdata="$PGDATA" --wait start \
    --options="$(printf '%q ' "${options[@]}" -c listen_addresses= -p "${PGPORT:-5432}")"
  create_database
  run_scripts
  PGUSER=$POSTGRES_USER pg_ctl --pgdata="$PGDATA" --wait --mode=fast stop
  unset PGPASSWORD
  finish
  echo "PostgreSQL: the database is made; starting for good"
}

# All is made in a subfolder and moved up when it is whole: a container that is killed during its first start
# begins anew at the next one, where a half-made database would stay broken.
begin() {
  if [[ -d $target/.new ]]; then
    echo "PostgreSQL: an earlier first start was cut short; beginning anew"
    find "$target" -mindepth 1 -delete
  fi
  if [[ -n $(ls -A "$target") ]]; then
    fail "$target holds files but no database (no PG_VERSION): $(ls -A "$target" | head -5 | tr '\n' ' ')"
  fi
  export PGDATA=$target/.new
  mkdir --mode=0700 "$PGDATA"
}

finish() {
  find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$target" {} +
  sync -f "$target"
  mv "$PGDATA/PG_VERSION" "$target"
  rmdir "$PGDATA"
  export PGDATA=$target
}

make_cluster() {
  # initdb's arguments come as words, quoted as a shell would have them.
  eval 'initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD")' \
    "$POSTGRES_INITDB_ARGS"
  local method=${POSTGRES_HOST_AUTH_METHOD:-}
  if [[ -z $method ]]; then method=$(postgres -C password_encryption -D "$PGDATA" "$@"); fi
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

create_database() {
  local database=$POSTGRES_DB
  local known
  known=$(POSTGRES_DB=postgres sql --tuples-only --set=name="$database" <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")
  if [[ -z $known ]]; then
    POSTGRES_DB=postgres sql --set=name="$database" <<<'CREATE DATABASE :"name"'
  fi
}

run_scripts() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    [[ -e $file ]] || continue
    echo "PostgreSQL: running $file"
    case $file in
      *.sh)
        if [[ -x $file ]]; then
          "$file"
        else
          # shellcheck disable=SC1090
          . "$file"
        fi
        ;;
      *.sql) sql --file="$file" ;;
      *.sql.gz) gunzip --stdout "$file" | sql ;;
      *) echo "PostgreSQL: $file is neither .sh nor .sql nor .sql.gz; left alone" ;;
    esac
  done
}

sql() {
  PGHOST='' PGHOSTADDR='' psql --no-psqlrc --no-password --set=ON_ERROR_STOP=1 \
    --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"
}

fail() {
  echo "docker-entrypoint.sh: error: $*" >&2
  exit 1
}

main "$@"
