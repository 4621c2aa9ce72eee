"""Certificates made for one run."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass
class Certificate:
    chain: pathlib.Path
    key: pathlib.Path


def make_certificate(directory, name):
    return make_certificate_of(["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], directory, name)


def make_certificate_of(algorithm, directory, name, days=60, names=("localhost",)):
    """A self-signed certificate with a key of some kind."""
    certificate = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    hosts = ",".join(f"DNS:{host}" for host in names)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-days", str(days),
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={hosts},IP:127.0.0.1,IP:::1",
         "-keyout", certificate.key, "-out", certificate.chain],
        check=True, capture_output=True, timeout=60)
    certificate.key.chmod(0o600)
    return certificate
