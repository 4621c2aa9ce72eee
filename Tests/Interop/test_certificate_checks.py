"""What check-config says of certificates and keys before a client finds out."""

import os
import subprocess

import pytest

from certificates import Authority, Certificate, make_certificate_of
from gateway import BINARY, PAM

P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


def told(tmp_path, made, *lines, status=0):
    """What is said of the certificate and of its key."""
    file = tmp_path / "c.conf"
    file.write_text("\n".join([f"pam_conf_dir={PAM}", f"rsa_cert_file={made.chain}",
                               f"rsa_private_key_file={made.key}", *lines, ""]))
    done = subprocess.run([BINARY, "check-config", file], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == status, done.stdout
    return [line.split(": ", 2)[2] for line in done.stdout.splitlines()
            if "_cert_file=" in line or "_private_key_file=" in line]


def test_a_certificate_that_signs_itself_is_no_surprise(tmp_path):
    made = make_certificate_of(P256, tmp_path, "one")
    assert told(tmp_path, made) == ["honoured", "honoured"]


def test_the_end_of_its_time_is_told(tmp_path):
    made = make_certificate_of(P256, tmp_path, "one", days=20)
    assert told(tmp_path, made)[0].startswith("honoured, but the certificate expires in ")
    assert "days" in told(tmp_path, made)[0]
    authority = Authority(tmp_path, "Root")
    past = authority.issue("localhost", "server", days=-2)
    assert "honoured, but the certificate has expired" in told(tmp_path, past)


@pytest.mark.parametrize("algorithm, words, status", [
    (["rsa:1024"], "its RSA key is weak: 80 bits of security", 78),
    (["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "few clients take", 0),
    (["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "few clients take", 0),
    (["ed25519"], None, 0), (["rsa:2048"], None, 0),
    (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], None, 0)])
def test_weak_and_uncommon_keys_are_told(tmp_path, algorithm, words, status):
    made = make_certificate_of(algorithm, tmp_path, "one")
    said = [line for line in told(tmp_path, made, status=status) if "honoured, but" in line]
    assert len(said) == (1 if words else 0) and all(words in line for line in said), said


@pytest.mark.parametrize("mode, group, words", [
    (0o644, 0, "everybody on this machine may read the private key"),
    (0o640, 1, "the file's group may read the private key"), (0o640, 0, None), (0o600, 1, None)])
def test_a_key_that_others_may_read_is_told(tmp_path, root, mode, group, words):
    made = make_certificate_of(P256, tmp_path, "one")
    os.chown(made.key, 0, group)
    made.key.chmod(mode)
    assert told(tmp_path, made)[1] == (f"honoured, but {words}" if words else "honoured")


@pytest.mark.parametrize("mode", [0o660, 0o602])
def test_a_key_that_others_may_write_starts_nothing(tmp_path, mode):
    made = make_certificate_of(P256, tmp_path, "one")
    made.key.chmod(mode)
    assert "refused: others than the owner may write" in told(tmp_path, made, status=78)[1]


def test_a_key_of_another_certificate_starts_nothing(tmp_path):
    one, two = (make_certificate_of(P256, tmp_path, name) for name in ("one", "two"))
    said = told(tmp_path, Certificate(one.chain, two.key), status=78)
    assert "refused: the key does not belong to the certificate" in said[-1]


def test_the_option_of_the_second_pair_is_named(tmp_path):
    one, two = (make_certificate_of(P256, tmp_path, name) for name in ("one", "two"))
    rsa = make_certificate_of(["rsa:2048"], tmp_path, "rsa")
    said = told(tmp_path, rsa, f"ec_cert_file={one.chain}", f"ec_private_key_file={two.key}",
                status=78)
    assert said[-1] == ("refused: the key does not belong to the certificate;"
                        " name the key that the certificate was made with")


def chain(*certificates):
    return b"".join(certificate.chain.read_bytes() for certificate in certificates)


def test_a_chain_must_be_whole_and_in_order(tmp_path):
    root = Authority(tmp_path, "Root")
    middle = Authority(tmp_path, "Middle", root)
    made = middle.issue("localhost", "server", days=60)
    assert told(tmp_path, made)[0] == "honoured"
    leaf, rest = split(made.chain.read_bytes())
    made.chain.write_bytes(leaf)
    assert "honoured, but the file lacks the certificate of its issuer, so clients may refuse it" \
        == told(tmp_path, made)[0]
    for wrong in (leaf + chain(root), leaf + chain(root) + rest, leaf + rest + rest):
        made.chain.write_bytes(wrong)
        assert "each certificate of the file must be vouched for by the next" \
            in told(tmp_path, made)[0]
    made.chain.write_bytes(leaf + rest + chain(root))
    assert told(tmp_path, made)[0] == "honoured"


def test_an_authority_that_the_system_knows_may_be_left_out(tmp_path, monkeypatch):
    root = Authority(tmp_path, "Root")
    made = root.issue("localhost", "server", days=60)
    assert "lacks the certificate of its issuer" in told(tmp_path, made)[0]
    monkeypatch.setenv("SSL_CERT_FILE", str(root.chain))
    assert told(tmp_path, made)[0] == "honoured"


def split(text):
    mark = b"-----END CERTIFICATE-----\n"
    first, _, rest = text.partition(mark)
    return first + mark, rest


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    made = make_certificate_of(["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], tmp_path, "one",
                               days=3)
    assert len(told(tmp_path, made)) == 3
