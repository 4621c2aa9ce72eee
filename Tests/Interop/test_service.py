"""The systemd units: sound, hardened, and enough to run under."""

import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys

import pytest

import as_service
import gateway as daemon
import proc
from control import finish, read_all, wait_until
from namespaces import Host

UNITS = daemon.ROOT / "Packaging/systemd"
PAGE = daemon.ROOT / "Sources/Portcullis/Portcullis.docc/Service.md"
SERVICE = UNITS / "portcullis.service"
PROGRAM = "/usr/bin/portcullis"


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60)


@pytest.fixture
def units(tmp_path):
    """The units with the program of this build in them."""
    directory = tmp_path / "units"
    shutil.copytree(UNITS, directory)
    service = directory / SERVICE.name
    service.write_text(service.read_text().replace(PROGRAM, str(daemon.BINARY)))
    return directory


def assert_sound(directory):
    done = analyze("verify", "--man=no", "--recursive-errors=no",
                   *sorted(path for path in directory.iterdir() if path.is_file()))
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_systemd_finds_nothing_wrong_with_the_units(units):
    assert_sound(units)
    # It would have.
    service = units / SERVICE.name
    service.write_text(service.read_text().replace("ProtectClock=yes", "ProtectClok=yes"))
    assert "ProtectClok" in analyze("verify", "--man=no", service).stderr


def blocks():
    """The files that the page shows, each with its place in front."""
    found = re.findall(r"`(/etc/systemd/system/\S+)`[^\n]*:\n\n```\n(.*?)```\n",
                       PAGE.read_text(), re.DOTALL)
    return {place.removeprefix("/etc/systemd/system/"): text for place, text in found}


def test_a_link_local_address_is_written_as_the_page_says(units):
    line, = re.findall(r"^```\n\[Socket\]\n(ListenStream=\[fe80.*)\n```$", PAGE.read_text(), re.MULTILINE)
    place = units / "portcullis.socket"
    text = place.read_text()
    place.write_text(text.replace("ListenStream=21", line))
    assert_sound(units)
    # With one sign it is something else to systemd.
    place.write_text(text.replace("ListenStream=21", line.replace("%%", "%")))
    assert "Failed to resolve unit specifiers" in analyze("verify", "--man=no", place).stderr


def without_comments(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_units_of_the_page_are_sound_and_the_ones_that_come_along(units):
    shown = blocks()
    assert set(shown) == {"portcullis.socket", "portcullis-implicit.socket",
                          "portcullis.service.d/local.conf"}
    for name, text in shown.items():
        place = units / name
        place.parent.mkdir(exist_ok=True)
        if place.exists():
            assert without_comments(place.read_text()) == without_comments(text)
        place.write_text(text)
    assert_sound(units)


def test_the_exposure_is_what_the_security_page_says(units):
    said = re.search(r"`systemd-analyze security`[^.]*? (\d+\.\d+)",
                     (daemon.ROOT / "SECURITY.md").read_text())
    assert said
    done = analyze("security", "--offline=true", units / SERVICE.name)
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout)
    assert float(found[1]) <= float(said[1]) <= 3.4, found[0]


def test_a_process_that_the_kernel_kills_for_its_memory_does_not_stop_the_service():
    assert as_service.settings(SERVICE)["OOMPolicy"] == ["continue"]


def test_no_memory_of_the_service_reaches_a_disk():
    settings = as_service.settings(SERVICE)
    assert settings["MemorySwapMax"] == settings["LimitCORE"] == ["0"]


# What systemd would do, done here.

@pytest.fixture
def unit(units):
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    return units / SERVICE.name


@pytest.fixture
def serve_as_service(root, unit, tmp_path, monkeypatch, serve):
    """Starts daemons under the unit's restrictions, on a host of their own."""
    host = Host("server")
    launcher = tmp_path / "launcher"
    words = ["unshare", "--mount", sys.executable, as_service.__file__, unit, daemon.BINARY]
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
    launcher.chmod(0o755)

    def start(**options):
        monkeypatch.setattr(daemon, "BINARY", launcher)
        with host:
            return host, serve(listen_port="21", implicit_listen_port="990", **options)

    yield start
    host.close()


def assert_confined_by(unit, pid):
    status = proc.status(pid)
    expected = {name.lower() for name in as_service.capabilities(unit)}
    listing = analyze("capability", *expected).stdout.splitlines()[1:]
    numbers = [int(line.split()[1]) for line in listing if line.strip()]
    assert len(numbers) == len(expected)
    # The server may have given up more by itself.
    assert not int(status["CapBnd"], 16) & ~sum(1 << number for number in numbers)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as mounts:
        options = [line.split()[5].split(",") for line in mounts if line.split()[4] == "/"]
    assert options and all("ro" in some for some in options)


def test_the_server_does_its_work_under_the_unit(
        serve_as_service, unit, account, certificate, tmp_path):
    # As a program that renews certificates may leave it.
    key = tmp_path / "key"
    shutil.copy(certificate.key, key)
    os.chown(key, account.uid, account.gid)
    host, gateway = serve_as_service(
        rsa_private_key_file=key, connect_from_port_20="YES", max_file_size="1000000",
        max_load="1000", require_ssl_reuse="YES")
    assert_confined_by(unit, gateway.pid)
    content = os.urandom(300_000)
    with host:
        for implicit in (False, True):
            if implicit:
                gateway.port = 990
                session = gateway.control(greet=False).handshake()
                session.next(220)
                session.protect().login(account)
            else:
                session = gateway.session(account)
            session.expect("TYPE I", 200)
            session.store("STOR there", content, resume=True)
            assert session.retrieve("RETR there", resume=True) == content
            session.expect("SITE CHMOD 640 there", 200)
            session.expect("MKD d", 257)
            session.expect("RMD d", 250)
            assert b"there" in session.retrieve("LIST", resume=True)
            # From port 20.
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
                session.expect(f"PORT 127,0,0,1,{port >> 8},{port & 255}", 200)
                session.expect("RETR there", 150)
                data, peer = listener.accept()
                assert peer[1] == 20
                data = session.wrap_data(data, resume=True)
                assert read_all(data) == content
                finish(data)
                session.next(226)
            assert_confined_by(unit, gateway.wardens()[-1])
            agents = [pid for pid in proc.tree(gateway.pid) if proc.name(pid) == "ftps-agent"]
            assert os.readlink(f"/proc/{agents[-1]}/root") == str(account.home)
        session.expect("DELE there", 250)
        gateway.process.send_signal(1)
        wait_until(lambda: "certificates loaded" in gateway.log, what="the reload")
        assert gateway.control(greet=False).handshake().next(220)
    assert os.listdir(account.home) == []


def test_uploads_are_given_away_under_the_unit(serve_as_service, account):
    account.home.chmod(0o755)
    host, gateway = serve_as_service(
        anonymous_enable="YES", anon_root=account.home, ftp_username=account.name,
        anon_upload_enable="YES", chown_uploads="YES", chown_username="daemon",
        anon_world_readable_only="NO")
    with host:
        session = gateway.control().secure().protect()
        session.expect("USER anonymous", 331)
        session.expect("PASS a@b", 230)
        session.store("STOR given", b"content")
    assert (account.home / "given").stat().st_uid == 1


def services(tmp_path, *lines):
    """A directory with a PAM service of its own."""
    directory = tmp_path / "pam.d"
    directory.mkdir()
    (directory / "portcullis").write_text("".join(f"{line}\n" for line in lines))
    return directory


@pytest.fixture
def tallies():
    """Where pam_faillock keeps a file for each user, who owns it."""
    directory = pathlib.Path("/run/faillock")
    is_new = not directory.exists()
    directory.mkdir(mode=0o755, exist_ok=True)
    yield directory
    if is_new:
        shutil.rmtree(directory)


def test_pam_counts_failures_under_the_unit(serve_as_service, account, tallies, tmp_path):
    host, gateway = serve_as_service(pam_conf_dir=services(
        tmp_path, "auth required pam_faillock.so preauth deny=9", "auth sufficient pam_unix.so",
        "auth [default=die] pam_faillock.so authfail deny=9", "account required pam_unix.so",
        "session required pam_unix.so"))
    tally = tallies / account.name
    try:
        with host:
            assert gateway.session(account).alive()
            control = gateway.control().secure()
            sizes = []
            for _ in range(2):
                control.expect(f"USER {account.name}", 331)
                control.expect("PASS wrong", 530)
                sizes.append(tally.stat().st_size)
        assert tally.stat().st_uid == account.uid
        assert sizes[1] == 2 * sizes[0] > 0
    finally:
        tally.unlink(missing_ok=True)


def test_pam_makes_homes_under_the_unit(serve_as_service, account, tmp_path):
    skeleton = tmp_path / "skeleton"
    (skeleton / "in").mkdir(parents=True)
    (skeleton / "in" / "welcome").write_bytes(b"content")
    host, gateway = serve_as_service(pam_conf_dir=services(
        tmp_path, "auth required pam_unix.so", "account required pam_unix.so",
        f"session required pam_mkhomedir.so umask=0077 skel={skeleton}"))
    shutil.rmtree(account.home)
    with host:
        session = gateway.session(account)
        assert session.retrieve("RETR in/welcome") == b"content"
        session.store("STOR in/there", b"mine")
    assert (account.home / "in").stat().st_uid == account.uid


def test_pam_raises_limits_under_the_unit(serve_as_service, account, tmp_path):
    limits = tmp_path / "limits.conf"
    limits.write_text("* - nofile 30000\n")
    assert int(as_service.settings(SERVICE)["LimitNOFILE"][-1]) < 30000
    host, gateway = serve_as_service(pam_conf_dir=services(
        tmp_path, "auth required pam_unix.so", "account required pam_unix.so",
        f"session required pam_limits.so conf={limits}"))
    with host:
        assert gateway.session(account).alive()


def test_homes_that_the_unit_does_not_name_are_read_only(serve_as_service, unit, account):
    unit.write_text(unit.read_text().replace("-/home ", ""))
    host, gateway = serve_as_service()
    with host:
        session = gateway.session(account)
        session.connect_data().close()
        session.expect("STOR there", 550, 553)
        session.expect("MKD d", 550)
        assert session.retrieve("LIST") == b""
