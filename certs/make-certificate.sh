#!/bin/bash
# Makes a self-signed certificate for trying Portcullis on this machine.
# usage: make-certificate.sh [--force]
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
certificate=portcullis.pem
key=portcullis.key

case "${1-}" in
    "") force=no ;;
    --force) force=yes ;;
    *)
        echo "usage: $0 [--force]" >&2
        exit 64
        ;;
esac

if [[ $force == no && ( -e $certificate || -e $key ) ]]; then
    echo "make-certificate: certs/$certificate or certs/$key exists; --force makes new ones" >&2
    exit 1
fi
if ! command -v openssl >/dev/null; then
    echo "make-certificate: openssl is missing: apt-get install openssl" >&2
    exit 1
fi

# Written beside their places and renamed at the end, so that a failure leaves no half of a pair.
umask 077
directory=$(mktemp -d .new.XXXXXX)
trap 'rm -rf -- "$directory"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256 -nodes -days 397 \
    -subj "/CN=localhost" \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1" \
    -addext "keyUsage=critical,digitalSignature" \
    -addext "extendedKeyUsage=serverAuth" \
    -keyout "$directory/$key" -out "$directory/$certificate" 2>"$directory/log" || {
    cat "$directory/log" >&2
    exit 1
}
chmod 0600 "$directory/$key"
chmod 0644 "$directory/$certificate"
mv -f -- "$directory/$key" "$key"
mv -f -- "$directory/$certificate" "$certificate"
echo "made certs/$certificate and certs/$key, valid for 397 days for localhost, 127.0.0.1 and ::1"
