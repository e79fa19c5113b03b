#!/bin/sh
# Installs on an empty cluster what `okemon install` installs there, without okemon.
# It needs kubectl, helm, openssl and curl. It may be run again; okemon would also tell what differs.
set -eu

# The SHA-256 of a file. Noted with each release, so that okemon knows what it was made from.
sha256() {
	openssl dgst -sha256 -r "$1" | cut -c 1-64
}
