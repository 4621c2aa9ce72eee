"""The command line: what a configuration is held to before anything starts."""

import os
import re
import stat
import subprocess

import pytest

from certificates import make_certificate
from gateway import BINARY, PAM

REFUSAL = re.compile(
    r"^(?P<where>\S+): (?P<name>\w+)(?:=(?P<value>.*?))?: refused: (?P<why>[^;]+); (?P<mend>.+)$",
    re.MULTILINE)


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL)


@pytest.fixture
def good(certificate):
    return {
        "listen_address": "127.0.0.1", "listen_port": "0", "pam_conf_dir": PAM,
        "rsa_cert_file": certificate.chain, "rsa_private_key_file": certificate.key,
    }


def write(path, options):
    path.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    return path


def assert_refused(done, where, name, *words):
    assert done.returncode == 78, done.stderr
    assert "listening on" not in done.stdout
    refusals = [found for found in REFUSAL.finditer(done.stderr) if found["where"] == str(where)]
    assert len(refusals) == 1, done.stderr
    found = refusals[0]
    assert found["name"] == name
    for word in words:
        assert word in found["why"] + found["mend"], found.group()


@pytest.mark.parametrize("name,value,words", [
    ("max_clients", "many", []),
    ("max_clients", "-1", []),
    ("write_enable", "MAYBE", []),
    ("no_such_option", "1", []),
    ("write_enabel", "YES", ["write_enable"]),
    ("pasv_address", "not an address", []),
    ("listen_port", "70000", []),
    ("pasv_max_port", "4000", ["below pasv_min_port, which is 5001"]),
    ("rsa_cert_file", "/nonexistent/certificate.pem", []),
    ("rsa_private_key_file", "/nonexistent/private.key", []),
    ("pam_conf_dir", "/nonexistent", []),
    ("nopriv_user", "nosuchuser", []),
    ("ssl_sni_hostname", "two words", ["name of a host"]),
])
def test_a_bad_option_starts_nothing_and_is_explained_in_one_line(
        good, tmp_path, name, value, words):
    if name == "nopriv_user" and os.geteuid() != 0:
        pytest.skip("needs root: without it no user is switched to")
    good.pop(name, None)
    config = write(tmp_path / "portcullis.conf", {**good, name: value})
    line = len(config.read_text().splitlines())
    assert_refused(run("serve", "--config", config), f"{config}:{line}", name, *words)
    done = run("check-config", config)
    assert done.returncode != 0
    assert f"{config}:{line}: {name}" in done.stdout + done.stderr


def test_a_missing_pam_service_starts_nothing(good, tmp_path):
    config = write(tmp_path / "c", {**good, "pam_service_name": "nosuchservice"})
    done = run("serve", "--config", config)
    assert done.returncode == 78 and "listening on" not in done.stdout
    assert any("nosuchservice" in found.group() for found in REFUSAL.finditer(done.stderr))


def test_every_problem_is_named_at_once(good, tmp_path):
    config = write(tmp_path / "c", {"max_clients": "x", **good, "write_enable": "x"})
    done = run("serve", "--config", config)
    assert done.returncode == 78
    assert len(REFUSAL.findall(done.stderr)) == 2


def test_settings_are_checked_too(good, tmp_path):
    config = write(tmp_path / "c", good)
    done = run("serve", "--config", config, "--set", "idle_session_timeout=soon")
    assert_refused(done, "--set", "idle_session_timeout")


@pytest.mark.parametrize("content", [b"not a certificate", b"", b"\x00" * 100])
@pytest.mark.parametrize("name", ["rsa_cert_file", "rsa_private_key_file"])
def test_a_broken_certificate_or_key_starts_nothing(good, tmp_path, name, content):
    broken = tmp_path / "broken"
    broken.write_bytes(content)
    broken.chmod(0o600)
    config = write(tmp_path / "c", {**good, name: broken})
    done = run("serve", "--config", config)
    assert done.returncode == 78 and done.stdout == ""
    assert str(broken) in done.stderr


def test_a_key_that_belongs_to_another_certificate_starts_nothing(good, tmp_path):
    other = make_certificate(tmp_path, "other")
    config = write(tmp_path / "c", {**good, "rsa_private_key_file": other.key})
    done = run("serve", "--config", config)
    assert done.returncode == 78 and done.stdout == ""


def test_a_key_that_others_may_write_starts_nothing(good, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(good["rsa_private_key_file"].read_bytes())
    key.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IWOTH)
    config = write(tmp_path / "c", {**good, "rsa_private_key_file": key})
    assert_refused(run("serve", "--config", config), f"{config}:5", "rsa_private_key_file")


def test_tls_without_a_certificate_starts_nothing(good):
    done = run("serve", "--set", "listen_port=0", "--set", f"pam_conf_dir={PAM}")
    assert done.returncode == 78 and "rsa_cert_file" in done.stderr


def test_a_missing_file_starts_nothing(tmp_path):
    done = run("serve", "--config", tmp_path / "missing")
    assert done.returncode == 78 and "missing" in done.stderr and done.stdout == ""


def test_an_address_in_use_is_said_plainly(serve, good, tmp_path):
    gateway = serve()
    done = run("serve", *[f"--set={name}={value}" for name, value in
                          {**good, "listen_port": gateway.port}.items()])
    assert done.returncode not in (0, None) and done.returncode > 0
    assert str(gateway.port) in done.stderr and "listening on" not in done.stdout


def test_check_config_judges_every_option(good, tmp_path):
    config = write(tmp_path / "c", {**good, "ssl_sslv3": "YES", "write_enable": "YES"})
    done = run("check-config", config)
    assert done.returncode == 0, done.stderr
    assert f"{config}:6: ssl_sslv3=YES: ignored" in done.stdout
    assert f"{config}:7: write_enable=YES: honoured" in done.stdout
    assert "TLS" in done.stdout


def test_check_config_warns_of_plain_ftp(good, tmp_path):
    config = write(tmp_path / "c", {**good, "force_local_logins_ssl": "NO"})
    done = run("check-config", config)
    assert done.returncode == 0 and "WARNING" in done.stdout


ANONYMOUS = {"anonymous_enable": "YES", "anon_root": "/", "ftp_username": "nobody"}


def test_plain_ftp_for_anonymous_users_alone_is_warned_of_at_start_too(good, serve, tmp_path):
    config = write(tmp_path / "c", {**good, **ANONYMOUS, "force_anon_logins_ssl": "NO"})
    done = run("check-config", config)
    assert done.returncode == 0 and "plain FTP is served to every network" in done.stdout
    warning, = [line for line in done.stdout.splitlines() if line.startswith("WARNING")]
    assert "force_anon_logins_ssl=NO is plain FTP" in warning
    assert warning in serve(**ANONYMOUS, force_anon_logins_ssl="NO").log.splitlines()


def test_check_config_tells_of_sockets_of_the_service_manager(good, tmp_path):
    assert "LISTEN_FDS" in run("check-config", write(tmp_path / "c", good)).stdout


def test_an_interface_that_is_not_there_is_told(good, tmp_path):
    config = write(tmp_path / "c", {
        **good, "listen": "NO", "listen_ipv6": "YES", "listen_address6": "fe80::1%none0"})
    for arguments in (("check-config", config), ("serve", "--config", config)):
        done = run(*arguments)
        assert done.returncode == 78
        assert "listen_address6=fe80::1%none0: refused: this machine has no interface none0" \
            in done.stdout + done.stderr


def test_a_vsftpd_configuration_starts_the_gateway(serve, account, tmp_path):
    config = tmp_path / "vsftpd.conf"
    config.write_bytes(
        b"\xef\xbb\xbf# Konfiguration f\xc3\xbcr Partner\r\n"
        b"listen=YES\r\nanonymous_enable=NO\r\nlocal_enable=YES\r\nwrite_enable=NO  # for now\r\n"
        b"ssl_enable=YES\r\nssl_tlsv1=NO\r\nssl_sslv2=NO\r\nssl_sslv3=NO\r\n"
        b"require_ssl_reuse=NO\r\npasv_promiscuous=YES\r\nforce_local_data_ssl=YES\r\n"
        b"force_local_logins_ssl=YES\r\ntcp_wrappers=YES\r\nlocal_umask=022\r\n"
        b"chroot_local_user=YES\r\nuse_localtime=YES\r\nsession_support=YES\r\n")
    session = serve(config=config).session(account)
    session.store("STOR f", b"--set write_enable=YES comes after the file")
    assert (account.home / "f").stat().st_mode & 0o777 == 0o644


def test_help_and_wrong_usage_have_their_status():
    assert run("--help").returncode == 0
    assert run("serve", "--help").returncode == 0
    assert run("nonsense").returncode == 64
    assert run("serve", "--set", "no-equals-sign").returncode in (64, 78)
