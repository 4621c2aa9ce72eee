"""ssl_policy=fips: approved algorithms, computed by OpenSSL's FIPS module where there is one."""

import os
import signal
import subprocess

import pytest

import gateway as daemon
from certificates import make_certificate_of
from control import wait_until

RSA = ["rsa:2048"]
P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
P384 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]
WARNING = "WARNING: ssl_policy=fips: this system's OpenSSL has no FIPS module"


def check_config(tmp_path, made, *lines):
    file = tmp_path / "c.conf"
    file.write_text("\n".join([f"pam_conf_dir={daemon.PAM}", f"rsa_cert_file={made.chain}",
                               f"rsa_private_key_file={made.key}", *lines, ""]))
    return subprocess.run([daemon.BINARY, "check-config", file], capture_output=True, text=True,
                          timeout=30)


@pytest.fixture
def without_module(tmp_path, monkeypatch):
    """A system whose openssl.cnf names a module that is not there."""
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text("\n".join([
        "openssl_conf = init", "[init]", "providers = list", "[list]", "fips = module",
        "[module]", "module-mac = 00:00", ""]))
    modules = tmp_path / "modules"
    modules.mkdir()
    monkeypatch.setenv("OPENSSL_CONF", str(configuration))
    monkeypatch.setenv("OPENSSL_MODULES", str(modules))


@pytest.fixture
def module():
    done = subprocess.run(["openssl", "list", "-providers", "-provider", "fips", "-provider", "base"],
                          capture_output=True, timeout=30)
    if done.returncode != 0:
        pytest.skip("this system's OpenSSL has no FIPS module; OPENSSL_CONF and OPENSSL_MODULES"
                    " may name one")


@pytest.mark.parametrize("garbage", [False, True])
def test_a_missing_module_is_said_and_the_algorithms_are_restricted_all_the_same(
        serve, account, certificate, tmp_path, without_module, garbage):
    if garbage:
        (tmp_path / "modules" / "fips.so").write_bytes(b"no module")
    done = check_config(tmp_path, certificate, "ssl_policy=fips")
    assert done.returncode == 0 and done.stdout.count(WARNING) == 1
    gateway = serve(ssl_policy="fips")
    assert gateway.log.count(WARNING) == 1
    session = gateway.session(account)
    session.store("STOR x", b"content")
    assert session.retrieve("RETR x", resume=True) == b"content"
    context = gateway.context("TLSv1.2")
    context.set_ciphers("ECDHE+CHACHA20")
    with pytest.raises((OSError, AssertionError)):
        gateway.control().secure(context=context).alive()


@pytest.mark.parametrize("algorithm, name", [
    (["ed25519"], "ED25519"), (["rsa:1024"], "RSA"),
    (["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "EC secp256k1"),
    (["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "EC brainpoolP256r1")])
def test_a_key_that_fips_has_no_signatures_by_starts_nothing(tmp_path, algorithm, name):
    made = make_certificate_of(algorithm, tmp_path, "one")
    done = check_config(tmp_path, made, "ssl_policy=fips")
    assert done.returncode == 78
    assert f"refused: ssl_policy=fips has no signatures by its key ({name})" in done.stdout
    usual = check_config(tmp_path, made, "ssl_policy=intermediate")
    assert "has no signatures" not in usual.stdout


@pytest.mark.parametrize("algorithm", [RSA, P256, P384], ids=["rsa", "p256", "p384"])
def test_the_module_signs_where_the_key_is(serve, account, tmp_path, module, algorithm):
    made = make_certificate_of(algorithm, tmp_path, "one")
    done = check_config(tmp_path, made, "ssl_policy=fips")
    assert done.returncode == 0 and "OpenSSL's FIPS module (ssl_policy=fips)" in done.stdout
    gateway = serve(ssl_policy="fips", rsa_cert_file=made.chain, rsa_private_key_file=made.key,
                    require_ssl_reuse="YES")
    gateway.certificate = made
    assert gateway.log.count("FIPS module is in use") == 1 and WARNING not in gateway.log
    for version in ("TLSv1.2", "TLSv1.3"):
        session = gateway.session(account, version)
        session.store("STOR x", b"content", resume=True)
        assert session.retrieve("RETR x", resume=True) == b"content"
    for pid in [gateway.pid, *gateway.signers()]:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            assert "/fips.so" in maps.read()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in gateway.log, what="the reload")
    assert gateway.session(account).alive()


def test_what_is_not_approved_fails_in_order_under_the_module(serve, account, module):
    gateway = serve(ssl_policy="fips")
    account.file("f", b"content")
    session = gateway.session(account)
    session.expect("OPTS HASH MD5", 200)
    assert session.command("HASH f").code >= 400
    session.expect("OPTS HASH SHA-256", 200)
    session.expect("HASH f", 213)


def test_an_encrypted_key_opens_under_the_module(serve, account, tmp_path, module):
    made = make_certificate_of(P256, tmp_path, "one")
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", made.key, "-v2", "aes-256-cbc", "-passout",
                    "pass:open sesame", "-out", locked], check=True, capture_output=True, timeout=30)
    os.chmod(locked, 0o600)
    words = tmp_path / "words"
    words.write_text("open sesame\n")
    words.chmod(0o600)
    gateway = serve(ssl_policy="fips", rsa_cert_file=made.chain, rsa_private_key_file=locked,
                    ssl_key_passphrase_file=words)
    gateway.certificate = made
    assert gateway.session(account).alive()
