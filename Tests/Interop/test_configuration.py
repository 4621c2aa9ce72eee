"""The command line: what a configuration is held to before anything starts."""

import ftplib
import io
import json
import os
import pathlib
import re
import stat
import subprocess

import pytest

from certificates import make_certificate
from control import client_context
from gateway import BINARY, PAM, Daemon, key_lines
from namespaces import Host

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


MIGRATED = pathlib.Path(__file__).parent / "configurations" / "vsftpd.conf"
OPTIONS = pathlib.Path(__file__).parents[2] / "Sources/Portcullis/Portcullis.docc/VsftpdOptions.md"


def write_migrated(directory, certificate):
    config = directory / "vsftpd.conf"
    text = MIGRATED.read_text(encoding="utf-8")
    text = text.replace("CERTIFICATE", str(certificate.chain)).replace("KEY", str(certificate.key))
    # A comment in an encoding of its own.
    config.write_bytes(text.encode() + b"accept_timeout=30 # d\xe9lai\n")
    return config


# What does not hold as it is written, and a word of the reason.
EXPECTED = {
    "allow_writeable_chroot": "is safe", "secure_chroot_dir": "no files at all",
    "userlist_enable": "keeps nobody out", "tcp_wrappers": "libwrap",
    "pasv_address": "comment", "pasv_addr_resolve": "comment", "allow_anon_ssl": "may use TLS",
    "ssl_tlsv1": "TLS 1.0", "ssl_sslv2": "SSL 2", "ssl_sslv3": "SSL 3", "ssl_ciphers": "",
}


def test_the_file_of_a_vsftpd_server_is_served_as_it_is(root, account, certificate, tmp_path):
    """Port 21, PAM service and all; what cannot be done is warned of in a line each."""
    config = write_migrated(tmp_path, certificate)
    try:
        host = Host("migrated")
    except PermissionError as error:
        pytest.skip(f"no network namespaces here: {error}")
    # The lists and the PAM service of a machine on which vsftpd was removed, but not purged.
    service = tmp_path / "pam"
    service.write_text("auth required pam_unix.so\naccount required pam_unix.so\n"
                       "session required pam_permit.so\n")
    daemon = None
    try:
        with host:
            daemon = Daemon("serve", "--config", str(config), covers={"/etc/pam.d/vsftpd": service})
            daemon.secrets += [account.password, *key_lines(certificate.key)]
            daemon.wait_for_line(r"^listening on 0\.0\.0\.0:21$")
            client = ftplib.FTP_TLS(context=client_context(certificate.chain), timeout=20)
            client.connect("127.0.0.1", 21)
            client.login(account.name, account.password)
            client.prot_p()
            assert 40000 <= client.makepasv()[1] <= 40100
            client.storbinary("STOR f", io.BytesIO(b"as ever"))
            assert client.nlst() == ["f"]
            client.close()
        warnings = re.findall(rf"^{re.escape(str(config))}:\d+: (\w+)=[^:]*: (.+)$",
                              daemon.log, re.MULTILINE)
        assert {name for name, _ in warnings} == set(EXPECTED), daemon.log
        for name, words in EXPECTED.items():
            assert any(words in text for found, text in warnings if found == name), name
        assert "WARNING: pasv_promiscuous=YES with require_ssl_reuse=NO" in daemon.log
    finally:
        if daemon:
            daemon.stop()
            daemon.check_log()
        host.close()


def test_check_config_says_what_stands_under_another_name(good, tmp_path):
    config = write(tmp_path / "c", {**good, "ssl_tlsv1_2": "YES"})
    assert "ssl_tlsv1_2=YES: mapped to ssl_tlsv12" in run("check-config", config).stdout


@pytest.mark.parametrize("line", [
    "pasv_max_port=50000 # 上限", "pasv_max_port=50000# 上限", "pasv_max_port=50000 // top",
    "pasv_max_port=50000（上限）", "pasv_max_port=50000　# 上限", "pasv_max_port\u00a0=\u00a050000",
    "pasv_max_port = 50000\t; top", "pasv_max_port=50000 top of the range",
])
def test_a_comment_behind_a_number_is_none_of_it(good, tmp_path, line):
    config = write(tmp_path / "c", {**good, "pasv_min_port": "40000"})
    config.write_text(config.read_text() + line + "\n", encoding="utf-8")
    done = run("check-config", config)
    assert done.returncode == 0, done.stdout
    assert "passive ports: 40000 to 50000" in done.stdout


@pytest.mark.parametrize("value", [
    "50000-50100", "50000 50100", "50000, 50100", "50000 - 50100", "50000x", "50_000", "５００００"])
def test_what_may_be_meant_as_more_than_a_number_is_refused(good, tmp_path, value):
    config = write(tmp_path / "c", {**good, "pasv_max_port": value})
    assert_refused(run("serve", "--config", config), f"{config}:6", "pasv_max_port")


def test_the_page_about_vsftpds_options_is_what_the_program_says():
    done = run("options", "--vsftpd")
    assert done.returncode == 0
    assert done.stdout == OPTIONS.read_text(encoding="utf-8"), \
        f"portcullis options --vsftpd >{OPTIONS}"
    assert len(re.findall(r"^\| `", done.stdout, re.MULTILINE)) == 136 + 11


def test_options_are_told_one_by_one():
    told = run("options", "listen", "ssl_tlsv1_2").stdout.splitlines()
    assert told[0] == "listen (YES or NO, YES): honoured"
    assert told[1].startswith("ssl_tlsv12, ssl_tlsv1_2 (YES or NO, YES): ")
    unknown = run("options", "lisen")
    assert unknown.returncode == 1 and "did you mean listen?" in unknown.stderr
    every = [json.loads(line) for line in run("options", "--json").stdout.splitlines()]
    assert {"name": "listen_port", "names": ["listen_port"], "value": "number from 0 to 65535",
            "default": "21", "fate": "honoured"} in every


def test_help_and_wrong_usage_have_their_status():
    assert run("--help").returncode == 0
    assert run("serve", "--help").returncode == 0
    assert run("nonsense").returncode == 64
    assert run("serve", "--set", "no-equals-sign").returncode in (64, 78)
