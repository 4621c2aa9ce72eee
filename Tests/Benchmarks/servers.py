"""Ours and the peers: what starts each, and what it says of its version."""

import dataclasses
import functools
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

from accounting import Failed, Tree, end_with_parent
from embedding import BUILT
from gateway import BINARY, PAM
from namespaces import cover
from peer_vsftpd import free_port

HERE = pathlib.Path(__file__).resolve().parent
PASSIVE = (30000, 60000)
START_LIMIT, STOP_LIMIT = 20, 10


@dataclasses.dataclass
class Site:
    """What one start of a server is told."""

    port: int
    ground: object
    directory: pathlib.Path
    plain: bool = False
    virtual: bool = False

    @property
    def user(self):
        return self.ground.guest if self.virtual else self.ground.account

    def file(self, name, *lines):
        path = self.directory / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        path.chmod(0o600)
        return str(path)


def output(*command, **options):
    try:
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20, check=False,
                              **options)
    except OSError:
        return ""
    return done.stdout.strip()


class Program:
    """A server that may be here or not."""

    # Whether it is compared with, whether it has users of its own, and who can log in to it.
    peer = True
    virtual = False
    system = True
    tls_only = False

    def serves(self, load):
        """Why a load is not for this server, or None."""
        if load.site.get("virtual") and not self.virtual:
            return "has no virtual users"
        if not load.site.get("virtual") and not self.system and load.system_only:
            return "has no system users"
        if load.site.get("plain") and self.tls_only:
            return "speaks TLS alone"
        return None

    def user(self, site):
        return site.user.name, site.user.password


class Portcullis(Program):
    peer = False
    virtual = True

    def __init__(self, name="portcullis", binary=BINARY):
        self.name, self.binary = name, pathlib.Path(binary)

    def missing(self):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} is not built"

    def version(self):
        commit = output("git", "-C", HERE, "rev-parse", "--short", "HEAD")
        named = "" if self.binary != BINARY or not re.fullmatch("[0-9a-f]+", commit) \
            else f", commit {commit}"
        return f"{output(self.binary, '--version')}{named}"

    def command(self, site):
        settings = {
            "listen_port": site.port, "listen_address": "127.0.0.1", "write_enable": "YES",
            "rsa_cert_file": site.ground.certificate.chain,
            "rsa_private_key_file": site.ground.certificate.key, "pam_conf_dir": PAM,
            "max_clients": 0, "max_per_ip": 0, "pasv_max_per_ip": 0,
        }
        if site.plain:
            settings.update(ssl_enable="NO", plain_system_logins="YES")
        if site.virtual:
            settings.update(virtual_users_file=site.ground.users,
                            guest_username=site.ground.account.name)
        return [self.binary, "serve",
                *(word for item in settings.items() for word in ("--set", "{}={}".format(*item)))]


class Threads(Program):
    """Our library in one process, with a thread for each session."""

    name = "portcullis .threads"
    peer = False
    virtual = True
    system = False
    tls_only = True

    def missing(self):
        return None if (BUILT / "VirtualUsers").exists() \
            else "the example VirtualUsers is not built: make bench does"

    def version(self):
        return "the example VirtualUsers with concurrency .threads"

    def command(self, site):
        return [BUILT / "VirtualUsers", site.port, site.ground.users, site.ground.both, "threads"]

    def user(self, site):
        return site.ground.guest.name, site.ground.guest.password


class Peer(Program):
    """A program of a Debian package, installed or unpacked below `place`."""

    path = ""

    def __init__(self, place=None):
        self.places = [pathlib.Path("/")]
        if place:
            below = sorted(entry for depth in ("*", "*/*") for entry in place.glob(depth)
                           if entry.is_dir())
            self.places = [place, *below, *self.places]

    def find(self, path):
        return next((found for place in self.places if (found := place / path).exists()), None)

    @property
    def program(self):
        return self.find(self.path)

    def missing(self):
        return None if self.program else f"{pathlib.Path(self.path).name} is not installed"


class Vsftpd(Peer):
    name = "vsftpd"
    path = "usr/sbin/vsftpd"

    def version(self):
        # It writes where its standard input leads.
        return output("sh", "-c", '"$1" -v 0>&1', "sh", self.program)

    def command(self, site):
        empty = site.directory / "empty"
        empty.mkdir(exist_ok=True)
        settings = {
            "listen": "YES", "listen_address": "127.0.0.1", "listen_port": site.port,
            "background": "NO", "anonymous_enable": "NO", "local_enable": "YES",
            "write_enable": "YES", "chroot_local_user": "YES", "allow_writeable_chroot": "YES",
            "pam_service_name": "portcullis", "secure_chroot_dir": empty,
            "pasv_min_port": PASSIVE[0], "pasv_max_port": PASSIVE[1], "max_clients": 0,
            "max_per_ip": 0, "xferlog_enable": "NO",
        }
        if not site.plain:
            settings.update(
                ssl_enable="YES", rsa_cert_file=site.ground.certificate.chain,
                rsa_private_key_file=site.ground.certificate.key, ssl_tlsv1="YES",
                ssl_ciphers="HIGH", require_ssl_reuse="NO")
        return [self.program, site.file("conf", *("{}={}".format(*s) for s in settings.items()))]


class ProFTPD(Peer):
    name = "proftpd"
    path = "usr/sbin/proftpd"

    def missing(self):
        if self.find(self.path) and not self.find("usr/lib/proftpd/mod_tls.so"):
            return "mod_tls of proftpd-mod-crypto is not installed"
        return super().missing()

    def version(self):
        return output(self.program, "-v")

    def command(self, site):
        certificate = site.ground.certificate
        lines = [
            f"ModulePath {self.find('usr/lib/proftpd/mod_tls.so').parent}", "LoadModule mod_tls.c",
            "ServerName benchmark", "ServerType standalone", "DefaultAddress 127.0.0.1",
            "SocketBindTight on", "UseIPv6 off", f"Port {site.port}",
            "PassivePorts {} {}".format(*PASSIVE), "User nobody", "Group nogroup",
            "MaxInstances none", "UseReverseDNS off", "DelayEngine off", "RequireValidShell off",
            "AuthPAMConfig portcullis", "AuthOrder mod_auth_pam.c* mod_auth_unix.c",
            "DefaultRoot ~", "AllowOverwrite on", "WtmpLog off", "TransferLog none",
            "SystemLog none", f"PidFile {site.directory}/pid",
            f"ScoreboardFile {site.directory}/scoreboard", "DelayTable none",
        ]
        if not site.plain:
            # Without an authority of its own, each session reads the whole bundle of the system.
            lines += [
                "TLSEngine on", "TLSRequired on", "TLSProtocol TLSv1.3",
                f"TLSECCertificateFile {certificate.chain}",
                f"TLSECCertificateKeyFile {certificate.key}",
                f"TLSCACertificateFile {certificate.chain}",
                "TLSOptions NoSessionReuseRequired", "TLSRenegotiate none", "TLSLog none",
            ]
        return [self.program, "--nodaemon", "--quiet", "--config", site.file("conf", *lines)]


class PureFTPd(Peer):
    name = "pure-ftpd"
    path = "usr/sbin/pure-ftpd"

    def version(self):
        return (output(self.program, "--help").splitlines() or [""])[0]

    def command(self, site):
        return [
            self.program, "--bind", f"127.0.0.1,{site.port}", "--ipv4only", "--login", "pam",
            "--noanonymous", "--chrooteveryone", "--dontresolve", "--minuid", "1",
            "--maxclientsnumber", "20000", "--maxclientsperip", "20000",
            "--limitrecursion", "200000:5", "--passiveportrange", "{}:{}".format(*PASSIVE),
            "--pidfile", f"{site.directory}/pid", "--syslogfacility", "none",
            *(["--tls", "0"] if site.plain
              else ["--tls", "3", "--certfile", str(site.ground.both)]),
        ]


class Pyftpdlib(Peer):
    name = "pyftpdlib"
    virtual = True
    system = False
    PROBE = ("import pyftpdlib, ssl, sys; from pyftpdlib.handlers import TLS_FTPHandler; "
             "from OpenSSL import SSL; print('pyftpdlib', pyftpdlib.__ver__, 'on Python',"
             "sys.version.split()[0], 'with', SSL.SSLeay_version(0).decode())")

    @functools.cached_property
    def found(self):
        """Interpreter and version."""
        for python in (self.find("python/bin/python3"), self.find("bin/python3"), sys.executable):
            text = output(python, "-W", "ignore", "-c", self.PROBE) if python else ""
            if text.startswith("pyftpdlib "):
                return python, text
        return None

    def missing(self):
        return None if self.found else "no Python has pyftpdlib with pyOpenSSL"

    def version(self):
        return self.found[1]

    def command(self, site):
        # The port is put together with the rest on its standard input: a password is no argument.
        settings = [site.port, *PASSIVE, "" if site.plain else site.ground.both, site.user.name,
                    site.user.password, site.user.home, site.ground.account.name]
        return [self.found[0], "-W", "ignore", HERE / "peer_server.py",
                site.file("settings", *settings)]


PEERS = {peer.name: peer for peer in (Vsftpd, ProFTPD, PureFTPd, Pyftpdlib)}


class Server:
    """A running server, for the length of a `with` block."""

    def __init__(self, program, ground, **variant):
        self.program = program
        self.ground = ground
        self.site = Site(free_port(), ground, ground.directory_for_server(), **variant)
        self.name, self.password = program.user(self.site)
        self.tree = Tree(ground.strangers)

    @property
    def port(self):
        return self.site.port

    def _enter(self):
        """Between fork and exec: what PAM knows is the run's own, and the server ends with us."""
        end_with_parent(signal.SIGTERM)
        cover({"/etc/pam.d": self.ground.services})

    def __enter__(self):
        self.log = self.site.directory / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                list(map(str, self.program.command(self.site))), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=self._enter,
                cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"})
        self.tree.root = self.process.pid
        try:
            self._await_greeting()
            self.resting = self.tree.settle()
            if self.tree.uncounted():
                raise Failed("it forgets its children's times, which therefore cannot be counted")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            pass
        self.tree.kill()
        self.process.wait(STOP_LIMIT)
        self.ground.remove_directory(self.site.directory)

    def _await_greeting(self):
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                    if probe.recv(3) == b"220":
                        probe.sendall(b"QUIT\r\n")
                        while probe.recv(4096):
                            pass
                        return
            except OSError:
                pass
            time.sleep(0.02)
        said = self.log.read_text(encoding="utf-8", errors="replace").strip()[-600:]
        state = "gave no greeting" if self.process.poll() is None else "ended at once"
        raise Failed(f"{state}: {said}")
