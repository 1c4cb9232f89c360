#!/bin/sh
# Removes from a fresh Debian in $1 what no container needs: documentation, translations, package lists, and
# logs and device nodes that the bootstrap left.
set -eu
root=$1
# The locale in which the official PostgreSQL image makes its databases; its sources go with the rest below.
chroot "$root" localedef --inputfile=en_US --charmap=UTF-8 --alias-file=/usr/share/locale/locale.alias en_US.UTF-8
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/info/* \
  "$root"/usr/share/locale/* "$root"/usr/share/lintian "$root"/usr/share/bash-completion \
  "$root"/usr/share/i18n "$root"/usr/share/common-licenses \
  "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/* "$root"/var/log/* \
  "$root"/debootstrap "$root"/dev/* "$root"/proc/* "$root"/sys/* "$root"/tmp/*
# What identifies a machine must not be shared by all containers.
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
