"""ssl_ciphers: a list that may take suites away and never adds one (openssl-ciphers(1))."""

import re
import subprocess

import pytest

import gateway as daemon
from certificates import make_certificate_of

EC12 = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305"]
ALL13 = ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"]


def negotiated(gateway, *arguments):
    """The suite that s_client gets with some arguments; None when the handshake fails."""
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         *arguments], input=b"QUIT\r\n", capture_output=True, timeout=30)
    found = re.search(rb"Cipher is (\S+)", done.stdout)
    return found.group(1).decode() if found and found.group(1) != b"(NONE)" else None


def taken(gateway):
    """Every suite of ours that the server takes."""
    old = [name for name in EC12 if negotiated(gateway, "-tls1_2", "-cipher", name)]
    return old + [name for name in ALL13 if negotiated(gateway, "-tls1_3", "-ciphersuites", name)]


@pytest.mark.parametrize("value, left", [
    ("HIGH", EC12 + ALL13),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", EC12[:1] + ALL13),
    ("ECDHE+AESGCM:TLS_AES_128_GCM_SHA256", EC12[:2] + ALL13[1:2]),
    ("TLS_CHACHA20_POLY1305_SHA256", ALL13[2:]),
    ("HIGH:AES128-SHA:@SECLEVEL=0", EC12 + ALL13),
])
def test_a_list_leaves_what_both_it_and_the_policy_have(serve, value, left):
    assert taken(serve(ssl_ciphers=value)) == left


def test_weak_suites_are_not_offered_however_they_are_written(serve):
    gateway = serve(ssl_ciphers="ALL:eNULL:AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    weak = "AES128-SHA:ECDHE-ECDSA-AES128-SHA:NULL-SHA256:ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"
    assert negotiated(gateway, "-tls1_2", "-cipher", weak) is None
    assert negotiated(gateway, "-tls1_2")


def test_whole_names_say_the_order_too(serve):
    wish = ["-tls1_2", "-cipher", ":".join(EC12)]
    assert negotiated(serve(ssl_ciphers="HIGH"), *wish) == EC12[0]
    turned = ":".join([EC12[1], EC12[0]])
    assert negotiated(serve(ssl_ciphers=turned), *wish) == EC12[1]
    # A client without AES in hardware puts ChaCha20 first, and usually gets it.
    wish[-1] = ":".join(EC12[::-1])
    assert negotiated(serve(), *wish) == EC12[2]
    assert negotiated(serve(ssl_ciphers=":".join(EC12)), *wish) == EC12[0]


def test_a_session_under_a_list_resumes_on_data_connections(serve, account):
    gateway = serve(ssl_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", require_ssl_reuse="YES")
    for version in ("TLSv1.2", "TLSv1.3"):
        assert gateway.session(account, version).retrieve("NLST", resume=True) == b""


def told(tmp_path, chain, key, *lines):
    file = tmp_path / "c.conf"
    file.write_text("\n".join([f"pam_conf_dir={daemon.PAM}", f"rsa_cert_file={chain}",
                               f"rsa_private_key_file={key}", *lines, ""]))
    done = subprocess.run([daemon.BINARY, "check-config", file], capture_output=True, text=True,
                          timeout=30)
    return done.returncode, "\n".join(
        line for line in done.stdout.splitlines() if "ssl_ciphers" in line)


@pytest.mark.parametrize("value", ["AES128-SHA:DES-CBC3-SHA", "no-such-suite", "HIGH:!ECDHE"])
def test_a_list_of_which_nothing_is_left_starts_nothing(tmp_path, certificate, value):
    status, line = told(tmp_path, certificate.chain, certificate.key, f"ssl_ciphers={value}")
    assert status == 78
    assert "refused: no suite of the list" in line and "write HIGH" in line
    done = subprocess.run([daemon.BINARY, "serve", "--config", tmp_path / "c.conf"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "write HIGH" in done.stderr


@pytest.mark.parametrize("lines, words", [
    (["ssl_ciphers=HIGH:RC4-SHA"], ["honoured, but", "RC4-SHA", "more"]),
    (["ssl_ciphers=ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA"], ["not offered: AES128-SHA"]),
    (["ssl_ciphers=TLS_AES_128_GCM_SHA256"], ["TLS 1.2 is not offered"]),
    (["ssl_ciphers=HIGH", "ssl_policy=modern"], ["ignored", "TLS 1.2, which is not offered"]),
    (["ssl_ciphers=HIGH", "ssl_enable=NO"], ["ignored", "ssl_enable=NO"]),
    (["ssl_ciphers=ECDHE-RSA-AES256-GCM-SHA384"], ["need an RSA key"]),
])
def test_what_falls_out_is_named(tmp_path, certificate, lines, words):
    status, line = told(tmp_path, certificate.chain, certificate.key, *lines)
    assert status == 0
    for word in words:
        assert word in line, line


def test_rsa_suites_fit_an_rsa_key(tmp_path):
    made = make_certificate_of(["rsa:2048"], tmp_path, "rsa")
    status, line = told(tmp_path, made.chain, made.key, "ssl_ciphers=ECDHE-RSA-AES256-GCM-SHA384")
    assert status == 0 and line.endswith("honoured")


@pytest.mark.parametrize("option, version", [
    ("ssl_sslv2", "SSL 2"), ("ssl_sslv3", "SSL 3"), ("ssl_tlsv1", "TLS 1.0"),
    ("ssl_tlsv1_1", "TLS 1.1")])
def test_old_versions_are_named_and_never_offered(serve, option, version):
    gateway = serve(**{option: "YES"})
    assert f"{option}=YES: ignored: " in gateway.log and version in gateway.log
    for argument in ("-tls1", "-tls1_1"):
        assert negotiated(gateway, argument, "-cipher", "DEFAULT:@SECLEVEL=0") is None
