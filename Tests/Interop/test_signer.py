"""The process that keeps the private key, and how certificates are exchanged while others go on."""

import concurrent.futures
import contextlib
import os
import re
import signal
import shutil
import socket
import ssl
import subprocess
import time

import pytest

import proc
from certificates import Certificate, make_certificate_of
from control import Closed, wait_until


def make(directory, name, algorithm):
    return make_certificate_of(algorithm, directory, name, days=2)


EC = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


def secret_parts(key):
    """The private number of a key in the byte orders that it may have in memory."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True,
                          capture_output=True, text=True, timeout=30).stdout
    digits = re.search(r"(?:prime1|priv):\s*((?:[0-9a-f]{2}:?\s*)+)", text).group(1)
    number = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
    return [number, number[::-1]]


def names(gateway):
    """The common name of the certificate that a new client sees."""
    with socket.create_connection((gateway.host, gateway.port), 10) as plain:
        plain.recv(1000)
        plain.sendall(b"AUTH TLS\r\n")
        plain.recv(1000)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain) as protected:
            der = protected.getpeercert(True)
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der,
                          check=True, capture_output=True, timeout=30).stdout.decode()
    return re.search(r"CN ?= ?(\S+)", text).group(1)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("algorithm", [["rsa:2048"], ["rsa:3072"], EC,
                                       ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
                                       ["ed25519"]],
                         ids=["rsa2048", "rsa3072", "p256", "p384", "ed25519"])
def test_every_kind_of_key_signs(serve, account, tmp_path, algorithm, version):
    made = make(tmp_path, "one", algorithm)
    gateway = serve(rsa_cert_file=made.chain, rsa_private_key_file=made.key)
    gateway.certificate = made
    session = gateway.session(account, version)
    session.store("STOR x", b"content")
    assert session.retrieve("RETR x", resume=True) == b"content"


@pytest.mark.parametrize("algorithm", [["rsa:2048"], EC], ids=["rsa", "ec"])
def test_the_key_is_in_one_process_alone(serve, account, tmp_path, algorithm):
    made = make(tmp_path, "one", algorithm)
    gateway = serve(rsa_cert_file=made.chain, rsa_private_key_file=made.key)
    gateway.certificate = made
    session = gateway.session(account)
    session.store("STOR x", b"content")
    secret = secret_parts(made.key)
    signer, = gateway.signers()
    assert proc.memory_holds(signer, secret), "the search itself finds nothing"
    others = [gateway.pid, *proc.tree(gateway.pid)]
    others.remove(signer)
    assert len(others) == 4, "Listener, Warden, Session and Agent"
    for pid in others:
        assert not proc.memory_holds(pid, secret), f"{proc.name(pid)} holds the key"


def test_the_signer_has_nothing_but_the_key(gateway, account):
    gateway.session(account)
    signer, = gateway.signers()
    status = proc.status(signer)
    assert 0 not in proc.numbers(status["Uid"])
    assert int(status["CapEff"], 16) == 0 and status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1" and status["Threads"] == "1"
    assert proc.internet_states(signer) == []
    files = {path for path in proc.descriptors(signer).values() if path.startswith("/")}
    assert files <= {"/dev/null"}
    assert os.stat(f"/proc/{signer}/mem").st_uid == 0


def test_channels_do_not_pile_up_in_the_signer(gateway, account):
    gateway.session(account).expect("QUIT", 221)
    signer, = gateway.signers()
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    before = len(proc.descriptors(signer))
    for _ in range(10):
        gateway.session(account).expect("QUIT", 221)
    wait_until(lambda: len(proc.descriptors(signer)) <= before, what="closed channels")


def test_a_certificate_is_exchanged_while_sessions_go_on(serve, account, tmp_path):
    first, second = make(tmp_path, "first", EC), make(tmp_path, "second", ["rsa:2048"])
    live = Certificate(tmp_path / "live.pem", tmp_path / "live.key")
    shutil.copy(first.chain, live.chain)
    shutil.copy(first.key, live.key)
    gateway = serve(rsa_cert_file=live.chain, rsa_private_key_file=live.key)
    gateway.certificate = first
    old = gateway.session(account)
    old.store("STOR x", b"content")
    shutil.copy(second.chain, live.chain)
    shutil.copy(second.key, live.key)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in gateway.log, what="the reload")
    assert names(gateway) == "second"
    # The old session still makes full handshakes with its own key, and resumes its own session.
    assert old.retrieve("RETR x") == b"content"
    assert old.retrieve("RETR x", resume=True) == b"content"
    assert len(gateway.signers()) == 2
    old.expect("QUIT", 221)
    wait_until(lambda: len(gateway.signers()) == 1, what="the end of the old key")
    assert names(gateway) == "second"


@pytest.mark.parametrize("damage", ["other key", "no key", "no certificate", "nothing"])
def test_a_bad_pair_leaves_the_old_one_in_service(serve, account, tmp_path, damage):
    first, other = make(tmp_path, "first", EC), make(tmp_path, "other", EC)
    gateway = serve(rsa_cert_file=first.chain, rsa_private_key_file=first.key)
    gateway.certificate = Certificate(shutil.copy(first.chain, tmp_path / "known.pem"), None)
    if damage == "other key":
        shutil.copy(other.key, first.key)
    elif damage == "no key":
        first.key.write_text("nonsense\n")
    elif damage == "no certificate":
        first.chain.write_text("nonsense\n")
    else:
        first.chain.unlink()
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates not loaded" in gateway.log, what="the error")
    assert gateway.log.count("certificates not loaded") == 1
    assert names(gateway) == "first"
    assert gateway.session(account).alive()


def test_the_signer_is_replaced_when_it_dies(gateway, account, root):
    session = gateway.session(account)
    signer, = gateway.signers()
    os.kill(signer, signal.SIGKILL)
    wait_until(lambda: gateway.signers() not in ([], [signer]), what="another one")
    assert gateway.session(account).alive()
    # A session of before resumes, and has nobody left for a full handshake.
    session.store("STOR x", b"content", resume=True)
    assert session.alive()


def test_a_signer_that_hangs_is_replaced(gateway, account, root):
    standing = gateway.session(account)
    hanging, = gateway.signers()
    identity = proc.identity(hanging)
    os.kill(hanging, signal.SIGSTOP)

    def comes_in():
        with contextlib.suppress(Closed, OSError):
            return gateway.session(account).alive()
        return False

    # Whoever is in goes on meanwhile.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        newcomer = pool.submit(comes_in)
        standing.store("STOR x", b"content", resume=True)
        assert proc.identity(hanging) == identity
        newcomer.result()
    wait_until(comes_in, 30, "a client that is served")
    wait_until(lambda: proc.identity(hanging) != identity, what="the end of the old one")
    assert gateway.log.count("does not answer, and is ended") == 1
    assert standing.retrieve("RETR x", resume=True) == b"content"


def test_a_signer_with_much_to_do_does_not_hang(serve, account, tmp_path):
    made = make(tmp_path, "slow", ["rsa:4096"])
    gateway = serve(rsa_cert_file=made.chain, rsa_private_key_file=made.key, max_per_ip="0")
    gateway.certificate = made
    signer = gateway.signers()
    end = time.monotonic() + 9

    def shake_hands(_):
        count = 0
        while time.monotonic() < end:
            assert names(gateway) == "slow"
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert sum(pool.map(shake_hands, range(24))) > 24
    assert gateway.signers() == signer
    assert "does not answer" not in gateway.log


def test_a_storm_of_handshakes_during_reloads(gateway, account):
    for _ in range(10):
        gateway.process.send_signal(signal.SIGHUP)
        assert gateway.session(account).alive()
    gateway.close_clients()
    wait_until(lambda: len(gateway.signers()) == 1, what="one key")


def test_rsa_and_ecdsa_at_once(serve, account, tmp_path):
    rsa, ec = make(tmp_path, "rsa", ["rsa:2048"]), make(tmp_path, "ec", EC)
    gateway = serve(rsa_cert_file=rsa.chain, rsa_private_key_file=rsa.key,
                    ec_cert_file=ec.chain, ec_private_key_file=ec.key)
    for algorithms, certificate in (("RSA+SHA256", rsa), ("ECDSA+SHA256", ec)):
        gateway.certificate = certificate
        context = gateway.context("TLSv1.2")
        context.set_ciphers("ECDHE+AESGCM+a" + algorithms.partition("+")[0])
        session = gateway.session(account, context=context)
        assert session.retrieve("NLST", resume=True) == b""


def test_an_encrypted_key_opens_with_its_passphrase(serve, account, tmp_path):
    made = make(tmp_path, "plain", EC)
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", made.key, "-aes256", "-passout", "pass:open sesame",
                    "-out", locked], check=True, capture_output=True, timeout=30)
    locked.chmod(0o600)
    words = tmp_path / "words"
    words.write_text("open sesame\nsecond line\n")
    words.chmod(0o600)
    gateway = serve(rsa_cert_file=made.chain, rsa_private_key_file=locked,
                    ssl_key_passphrase_file=words)
    gateway.certificate = made
    gateway.secrets.append("open sesame")
    assert gateway.session(account).alive()


@pytest.mark.parametrize("policy, refused", [
    ("modern", {"TLSv1.2"}), ("intermediate", set()), ("fips", set())])
def test_a_policy_decides_about_versions(serve, account, policy, refused):
    gateway = serve(ssl_policy=policy)
    for version in ("TLSv1.2", "TLSv1.3"):
        if version in refused:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                gateway.session(account, version)
        else:
            assert gateway.session(account, version).alive()


def offered(gateway, *arguments):
    """What s_client negotiates with some arguments; nothing when the handshake fails."""
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         *arguments], input=b"QUIT\r\n", capture_output=True, timeout=30)
    text = done.stdout.decode(errors="replace")
    found = re.search(r"Cipher is (\S+)", text)
    return found.group(1) if found and found.group(1) != "(NONE)" else None


def test_fips_leaves_only_what_is_approved(serve):
    usual, approved = serve(), serve(ssl_policy="fips")
    chacha = ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]
    assert offered(usual, *chacha) == "TLS_CHACHA20_POLY1305_SHA256"
    assert offered(approved, *chacha) is None
    assert offered(usual, "-groups", "X25519")
    assert offered(approved, "-groups", "X25519") is None
    assert offered(approved, "-groups", "P-384")
    assert offered(approved, "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305") is None
    assert offered(approved, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert offered(usual, "-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA") is None
