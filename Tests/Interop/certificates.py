"""Certificates made for one run."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass
class Certificate:
    chain: pathlib.Path
    key: pathlib.Path


def make_certificate(directory, name):
    certificate = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "60", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
         "-keyout", certificate.key, "-out", certificate.chain],
        check=True, capture_output=True, timeout=30)
    certificate.key.chmod(0o600)
    return certificate
