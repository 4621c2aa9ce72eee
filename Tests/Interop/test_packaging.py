"""From the program that was built to a machine that runs it: a package, and the root of a container."""

import contextlib
import ftplib
import io
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import ssl
import subprocess

import pytest

import gateway as daemon
import proc
from gateway import ROOT, Daemon
from machines import Machine, bootstrap, release, run
from namespaces import Host

# A whole system is put together from the net.
pytestmark = pytest.mark.timeout(900)

PACKAGING = ROOT / "Packaging"
NEXT = "99.0"


@pytest.fixture(scope="module")
def program():
    """The program as it is shipped, which needs no library of a Swift toolchain."""
    needed = run("objdump", "-p", daemon.BINARY)
    if re.search("NEEDED.*libswift", needed):
        pytest.skip("this program was built for development: make build")
    return daemon.BINARY


@pytest.fixture(scope="module")
def packages(program, tmp_path_factory):
    """The package, and the same as a later version."""
    directory = tmp_path_factory.mktemp("packages")
    run(PACKAGING / "make-deb", program, directory)
    made, = directory.glob("*.deb")
    tree = directory / "tree"
    run("dpkg-deb", "--raw-extract", made, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub("^Version: .*$", f"Version: {NEXT}", control.read_text(), flags=re.M))
    later = directory / made.name.replace(made.name.split("_")[1], NEXT)
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, later)
    return made, later


def test_lintian_finds_no_error(packages):
    changes, = packages[0].parent.glob("portcullis_0*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--no-tag-display-limit", str(changes)],
                          capture_output=True, text=True, timeout=300)
    problems = [line for line in done.stdout.splitlines() if line.startswith("E:")]
    assert done.returncode == 0 and problems == [], done.stdout + done.stderr


def test_the_package_asks_for_the_libraries_and_for_no_swift(packages):
    wanted = run("dpkg-deb", "-f", packages[0], "Depends")
    for name in ("libc6", "libcrypt1", "libpam0g", "libssl3", "zlib1g", "ssl-cert", "adduser"):
        assert re.search(rf"\b{name}", wanted), wanted
    assert "swift" not in wanted
    # What an administrator changes is asked about, and not replaced.
    listing = run("dpkg-deb", "--info", packages[0], "conffiles").split()
    assert listing == ["/etc/logrotate.d/portcullis", "/etc/pam.d/portcullis",
                       "/etc/portcullis.conf"]


@pytest.fixture(scope="module")
def machine(root, packages):
    if release().get("ID") != "debian":
        pytest.skip("a package is tried on the release of Debian that it was built on")
    place = pathlib.Path("/var/tmp") / f"portcullis-machine-{secrets.token_hex(4)}"
    place.mkdir(mode=0o755)
    try:
        done = bootstrap(place)
        said = done.stdout + done.stderr
        if any(words in said for words in ("Couldn't download", "Failed getting", "nodev")):
            pytest.skip(f"no mirror of Debian, or no place for its devices: {done.stderr}")
        assert done.returncode == 0, said
        made = Machine(place)
        made.run("apt-get", "update", "--quiet")
        yield made
    finally:
        # Mounts of its programs were theirs alone, and have ended with them.
        assert not [line for line in pathlib.Path("/proc/mounts").read_text().splitlines()
                    if str(place) in line]
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def served(start, secrets_of_it=()):
    """What is served on a host of its own, on the port of the configuration."""
    host = Host("packaged")
    running = None
    try:
        with host:
            running = start()
            running.secrets += secrets_of_it
            running.wait_for_line(r"^listening on 0\.0\.0\.0:21$")
            yield running
    finally:
        if running:
            running.stop()
            running.check_log()
        host.close()


class Entered(Daemon):
    """The program of another root."""

    def __init__(self, enter, *arguments):
        saved = daemon.BINARY
        daemon.BINARY = pathlib.Path("/usr/bin/portcullis")
        try:
            super().__init__(*arguments, enter=enter)
        finally:
            daemon.BINARY = saved


def exchange(name, password, certificate):
    context = ssl.create_default_context(cadata=certificate)
    context.check_hostname = False
    client = ftplib.FTP_TLS(context=context, timeout=30)
    client.connect("127.0.0.1", 21)
    try:
        client.login(name, password)
        client.prot_p()
        content = os.urandom(300_000)
        assert client.storbinary("STOR there", io.BytesIO(content)).startswith("226")
        back = bytearray()
        assert client.retrbinary("RETR there", back.extend).startswith("226")
        assert back == content and client.nlst() == ["there"]
        client.delete("there")
    finally:
        client.close()


def user_of(pid):
    """Its user id, unless it has ended in the meantime."""
    try:
        return proc.status(pid)["Uid"].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def command_of_the_unit(machine):
    unit, = [path for path in (machine.root / "lib/systemd/system/portcullis.service",
                               machine.root / "usr/lib/systemd/system/portcullis.service")
             if path.exists()][:1]
    line, = re.findall("^ExecStart=/usr/bin/portcullis (.*)$", unit.read_text(), re.MULTILINE)
    return line.split()


def test_a_machine_installs_runs_upgrades_and_forgets_the_package(machine, packages):
    machine.install(packages[0])
    account = re.search("^portcullis:.*$", (machine.root / "etc/passwd").read_text(), re.MULTILINE)[0]
    assert account.endswith(":/nonexistent:/usr/sbin/nologin")
    for place in ("usr/bin/portcullis", "usr/share/man/man1/portcullis.1.gz",
                  "usr/share/man/man5/portcullis.conf.5.gz", "etc/pam.d/portcullis",
                  "usr/share/bash-completion/completions/portcullis",
                  "usr/share/zsh/vendor-completions/_portcullis",
                  "usr/share/fish/vendor_completions.d/portcullis.fish"):
        assert (machine.root / place).exists(), place
    # The service comes up with the machine; the sockets wait for whoever wants them.
    wanted = machine.root / "etc/systemd/system"
    assert (wanted / "multi-user.target.wants/portcullis.service").is_symlink()
    assert not (wanted / "sockets.target.wants").exists()

    # A client of an account that the machine has.
    password = "Pw-" + secrets.token_hex(12)
    machine.run("useradd", "--create-home", "--shell", "/usr/sbin/nologin", "partner")
    with open(os.memfd_create("password"), "w+b") as given:
        given.write(f"partner:{password}\n".encode())
        given.seek(0)
        machine.run("chpasswd", stdin=given)
    config = machine.root / "etc/portcullis.conf"
    config.write_text(config.read_text().replace("write_enable=NO", "write_enable=YES"))
    certificate = (machine.root / "etc/ssl/certs/ssl-cert-snakeoil.pem").read_text()
    serve = command_of_the_unit(machine)
    with served(lambda: Entered(machine.enter, *serve), [password]) as running:
        exchange("partner", password, certificate)
        # The network is read by the account of the package.
        with socket.create_connection(("127.0.0.1", 21), 20) as client:
            assert client.recv(3) == b"220"
            users = {user_of(pid) for pid in proc.tree(running.pid)}
        assert account.split(":")[2] in users

    # A newer version keeps what was changed, and serves with it.
    machine.install(packages[1], "-o", "Dpkg::Options::=--force-confdef")
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "portcullis") == NEXT
    assert "write_enable=YES" in config.read_text()
    with served(lambda: Entered(machine.enter, *serve), [password]):
        exchange("partner", password, certificate)

    # Removed, the configuration is left; purged, nothing is.
    machine.run("apt-get", "remove", "--yes", "--quiet", "portcullis")
    assert config.exists() and not (machine.root / "usr/bin/portcullis").exists()
    machine.run("apt-get", "purge", "--yes", "--quiet", "portcullis")
    assert machine.names() == []
    for file in ("passwd", "group", "shadow", "gshadow"):
        assert "portcullis" not in (machine.root / "etc" / file).read_text()


def test_the_root_of_a_container_is_the_program_and_its_libraries(root, program, tmp_path):
    """Without an engine: the image's content, entered as a root of its own."""
    place = tmp_path / "image"
    run(PACKAGING / "container-root", program, place)
    programs = [path for path in place.rglob("*")
                if path.is_file() and os.access(path, os.X_OK) and ".so" not in path.name]
    assert {path.name for path in programs} == {"portcullis", "unix_chkpwd"}
    (place / "etc/portcullis").mkdir()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=localhost", "-keyout", place / "etc/portcullis/key",
        "-out", place / "etc/portcullis/chain")
    # Devices of the engine's making.
    for name, number in (("null", 3), ("urandom", 9), ("random", 8)):
        os.mknod(place / "dev" / name, 0o020666, os.makedev(1, number))
    password = "Pw-" + secrets.token_hex(12)
    users = place / "etc/portcullis.users"
    subprocess.run([str(program), "passwd", str(users), "partner", "--home", "/srv",
                    "--permissions", "elradfmw"], input=f"{password}\n", text=True, check=True,
                   capture_output=True, timeout=60)
    os.chown(place / "srv", 997, 997)
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(path.stat().st_mode | 0o111)
    machine = Machine(place)
    arguments = ["serve", "--config", "/etc/portcullis.conf",
                 *[f"--set={name}={value}" for name, value in {
                     "rsa_cert_file": "/etc/portcullis/chain", "write_enable": "YES",
                     "rsa_private_key_file": "/etc/portcullis/key",
                     "virtual_users_file": "/etc/portcullis.users"}.items()]]
    with served(lambda: Entered(machine.enter, *arguments), [password]):
        exchange("partner", password, (place / "etc/portcullis/chain").read_text())


def test_the_recipe_of_the_container_is_well_formed():
    """Every line is an instruction of the format; the last stage has what the first one laid out."""
    text = (PACKAGING / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    words = [line.split(None, 1) for line in lines]
    assert {name for name, _ in words} == known
    assert [rest for name, rest in words if name == "FROM"] == ["swift:6.3-bookworm AS build",
                                                                "scratch"]
    assert ["COPY", "--from=build /image /"] in words
    for name, rest in words:
        if name in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list)


def test_an_engine_builds_the_container(root, program, tmp_path):
    """Where there is one, and where it works."""
    engine = next((name for name in ("podman", "docker") if shutil.which(name)), None)
    if not engine or subprocess.run([engine, "info"], capture_output=True, timeout=60).returncode:
        pytest.skip("no container engine that works here")
    tag = f"portcullis-test-{secrets.token_hex(4)}"
    try:
        run(engine, "build", "-f", PACKAGING / "Containerfile", "-t", tag, ROOT, seconds=3600)
        assert "SUBCOMMAND" in run(engine, "run", "--rm", tag, "--help").upper()
    finally:
        subprocess.run([engine, "rmi", "--force", tag], capture_output=True, timeout=120)
