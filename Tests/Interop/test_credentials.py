"""Keys and passphrases that the service manager hands over (systemd.exec(5), LoadCredential=)."""

import subprocess

import pytest

import proc
from certificates import make_certificate_of
from gateway import BINARY, PAM

P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
WORDS = "open sesame"


@pytest.fixture
def credentials(tmp_path, monkeypatch):
    """A directory as systemd makes it: files that only their reader may read."""
    directory = tmp_path / "credentials"
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))

    def add(name, content):
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o400)
    return add


@pytest.fixture
def made(tmp_path):
    return make_certificate_of(P256, tmp_path, "one")


def lock(made, file):
    """The key under a passphrase."""
    subprocess.run(["openssl", "pkey", "-in", made.key, "-aes256", "-passout", f"pass:{WORDS}",
                    "-out", file], check=True, capture_output=True, timeout=30)
    file.chmod(0o600)
    return file


def test_a_key_may_be_a_credential(serve, account, made, credentials):
    credentials("key", made.key.read_bytes())
    credentials("chain", made.chain.read_bytes())
    gateway = serve(rsa_cert_file="credential:chain", rsa_private_key_file="credential:key")
    gateway.certificate = made
    assert gateway.session(account).alive()


def test_a_second_pair_may_be_credentials(serve, certificate, credentials, tmp_path):
    rsa = make_certificate_of(["rsa:2048"], tmp_path, "rsa")
    credentials("key", rsa.key.read_bytes())
    credentials("chain", rsa.chain.read_bytes())
    gateway = serve(ec_cert_file="credential:chain", ec_private_key_file="credential:key")
    gateway.certificate = rsa
    context = gateway.context("TLSv1.2")
    context.set_ciphers("ECDHE+AESGCM+aRSA")
    assert gateway.control().secure(context=context).alive()


def test_a_passphrase_may_be_a_credential(serve, account, made, credentials, tmp_path):
    credentials("words", f"{WORDS}\n".encode())
    gateway = serve(rsa_cert_file=made.chain, ssl_key_passphrase_file="credential:words",
                    rsa_private_key_file=lock(made, tmp_path / "locked.key"))
    gateway.certificate = made
    gateway.secrets.append(WORDS)
    assert gateway.session(account).alive()
    for pid in [gateway.pid, *proc.tree(gateway.pid)]:
        assert not proc.memory_holds(pid, [WORDS.encode()]), f"{proc.name(pid)} holds it"


def told(tmp_path, made, key, *lines):
    file = tmp_path / "c.conf"
    file.write_text("\n".join([f"pam_conf_dir={PAM}", f"rsa_cert_file={made.chain}",
                               f"rsa_private_key_file={key}", *lines, ""]))
    done = subprocess.run([BINARY, "check-config", file], capture_output=True, text=True,
                          timeout=30)
    return done.returncode, "\n".join(
        line for line in done.stdout.splitlines() if ": refused: " in line)


@pytest.mark.parametrize("name", ["", ".", "..", "../key", "a/b", "/etc/passwd"])
def test_a_name_leads_nowhere_else(tmp_path, made, credentials, name):
    credentials("key", made.key.read_bytes())
    status, line = told(tmp_path, made, f"credential:{name}")
    assert status == 78 and f"`{name}` is not the name of a credential" in line


def test_a_credential_that_is_missing_starts_nothing(tmp_path, made, credentials):
    status, line = told(tmp_path, made, "credential:key")
    assert status == 78 and "the file cannot be read (No such file or directory)" in line


@pytest.mark.parametrize("place", [None, "", "relative"])
def test_without_a_service_manager_the_mend_is_said(tmp_path, made, monkeypatch, place):
    if place is None:
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    else:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", place)
    status, line = told(tmp_path, made, "credential:key")
    assert status == 78 and "add LoadCredential=key:FILE to the unit" in line


def test_a_wrong_passphrase_is_no_secret_in_the_log(tmp_path, made, credentials):
    credentials("words", b"close sesame\n")
    locked = lock(made, tmp_path / "locked.key")
    status, line = told(tmp_path, made, locked, "ssl_key_passphrase_file=credential:words")
    assert status == 78 and "rsa_private_key_file" in line and "sesame" not in line
