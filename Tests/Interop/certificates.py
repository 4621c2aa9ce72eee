"""Certificates made for one run."""

import dataclasses
import datetime
import pathlib
import subprocess


@dataclasses.dataclass
class Certificate:
    chain: pathlib.Path
    key: pathlib.Path


def make_certificate(directory, name, addresses=()):
    return make_certificate_of(
        ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], directory, name, addresses=addresses)


def make_certificate_of(algorithm, directory, name, days=60, names=("localhost",), addresses=()):
    """A self-signed certificate with a key of some kind."""
    certificate = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    hosts = ",".join([*(f"DNS:{host}" for host in names),
                      *(f"IP:{address}" for address in ["127.0.0.1", "::1", *addresses])])
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-days", str(days),
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={hosts}",
         "-keyout", certificate.key, "-out", certificate.chain],
        check=True, capture_output=True, timeout=60)
    certificate.key.chmod(0o600)
    return certificate


class Authority:
    """An authority that vouches for clients, and takes it back again."""

    SETTINGS = """
[ca]
default_ca = here
[here]
new_certs_dir = {directory}
database = {directory}/index
serial = {directory}/serial
crlnumber = {directory}/crlnumber
certificate = {chain}
private_key = {key}
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
organizationName = optional
[client]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = clientAuth
[server]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
"""

    def __init__(self, directory, name="Authority", parent=None):
        self.directory = directory / name
        self.directory.mkdir()
        self.parent = parent
        self.number = 0
        self.chain = self.directory / "authority.pem"
        self.key = self.directory / "authority.key"
        self.settings = self.directory / "settings"
        (self.directory / "index").touch()
        (self.directory / "serial").write_text("01\n")
        (self.directory / "crlnumber").write_text("01\n")
        self.settings.write_text(self.SETTINGS.format(
            directory=self.directory, chain=self.chain, key=self.key))
        if parent:
            made = parent.issue(name, kind="authority")
            made.chain.rename(self.chain)
            made.key.rename(self.key)
        else:
            openssl("req", "-x509", *NEW_KEY, "-days", "60", "-subj", f"/CN={name}",
                    "-config", self.settings, "-extensions", "authority",
                    "-keyout", self.key, "-out", self.chain)

    def issue(self, name, kind="client", days=30, names=None, subject=None, key=None):
        """A certificate with its chain up to, and without, the root; `days` may lie in the past."""
        self.number += 1
        path = self.directory / f"{self.number}"
        made = Certificate(path.with_suffix(".pem"), path.with_suffix(".key"))
        request = path.with_suffix(".request")
        openssl("req", "-new", *(key or NEW_KEY), "-subj", subject or f"/CN={name}", "-utf8",
                *(["-addext", f"subjectAltName={names}"] if names else []),
                "-keyout", made.key, "-out", request)
        now = datetime.datetime.now(datetime.timezone.utc)
        end = now + datetime.timedelta(days=days)
        start = min(now, end) - datetime.timedelta(days=1)
        openssl("ca", "-batch", "-config", self.settings, "-extensions", kind, "-notext",
                "-startdate", moment(start), "-enddate", moment(end),
                "-in", request, "-out", made.chain)
        if self.parent:
            made.chain.write_bytes(made.chain.read_bytes() + self.chain.read_bytes())
        made.key.chmod(0o600)
        return made

    def revoke(self, certificate):
        openssl("ca", "-config", self.settings, "-revoke", certificate.chain)

    def response(self, certificate, to, signer=None, *options):
        """An OCSP response about a certificate, good or revoked as the authority's index has it."""
        signer = signer or self
        openssl("ocsp", "-index", self.directory / "index", "-CA", self.chain, "-issuer", self.chain,
                "-cert", certificate.chain, "-rsigner", signer.chain, "-rkey", signer.key,
                "-ndays", "7", "-respout", to, *options)
        return to

    def revocations(self, expired=False):
        """The list of what was revoked, as a file of its own."""
        self.number += 1
        path = self.directory / f"{self.number}.crl"
        now = datetime.datetime.now(datetime.timezone.utc)
        dates = ["-crl_lastupdate", moment(now - datetime.timedelta(days=2)),
                 "-crl_nextupdate", moment(now - datetime.timedelta(days=1))] if expired else []
        openssl("ca", "-config", self.settings, "-gencrl", *dates, "-out", path)
        return path


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def moment(time):
    return time.strftime("%Y%m%d%H%M%SZ")


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                          timeout=30).stdout


def fingerprint(certificate):
    """The SHA-256 digest of the whole certificate, as `openssl x509` prints it."""
    text = openssl("x509", "-in", certificate.chain, "-noout", "-fingerprint", "-sha256")
    return text.decode().strip().partition("=")[2]
