"""Several hosts on one server: SNI (RFC 6066 section 3) and HOST (RFC 7151)."""

import os
import shutil
import signal
import ssl
import subprocess

import pytest

import gateway as daemon
from certificates import fingerprint, make_certificate_of
from control import VERSIONS, read_all, wait_until

P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
BOTH = pytest.mark.parametrize("version", VERSIONS)


class Hosts:
    """A directory in the layout of certbot's `live`, and what it holds."""

    def __init__(self, directory):
        self.directory = directory
        self.made = {}
        directory.mkdir()
        (directory / "README").write_text("left alone\n")

    def add(self, name, algorithm=P256, kind="", names=None, days=60):
        folder = self.directory / name
        folder.mkdir(exist_ok=True)
        made = make_certificate_of(
            algorithm, folder, "new" + kind, days=days, names=names or (name,))
        made.chain = made.chain.rename(folder / f"fullchain{kind}.pem")
        made.key = made.key.rename(folder / f"privkey{kind}.pem")
        self.made[name + kind] = made
        return made


@pytest.fixture
def hosts(tmp_path):
    hosts = Hosts(tmp_path / "live")
    for name in ("one.example", "two.example"):
        hosts.add(name)
    return hosts


def lax(version=None):
    """A client that looks at the certificate later."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def secure(gateway, name, version=None, host=None, context=None):
    """A control connection whose handshake names a host, or none."""
    control = gateway.control()
    if host:
        control.expect(f"HOST {host}", 220)
    control.expect("AUTH TLS", 234)
    control.context = context or lax(version)
    control.pending = b""
    control.socket = control.context.wrap_socket(control.socket, server_hostname=name)
    return control


def shown(control):
    return shown_on(control.socket)


def shown_on(protected):
    der = protected.getpeercert(True)
    text = ssl.DER_cert_to_PEM_cert(der)
    done = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
                          input=text.encode(), check=True, capture_output=True, timeout=30)
    return done.stdout.decode().strip().partition("=")[2]


def refused(action):
    """Whether the handshake fails with the alert unrecognized_name, 112."""
    with pytest.raises(ssl.SSLError) as error:
        action().alive()
    return "UNRECOGNIZED_NAME" in str(error.value).upper().replace(" ", "_")


@BOTH
def test_each_name_gets_its_own_certificate(serve, certificate, hosts, version):
    gateway = serve(ssl_sni_dir=hosts.directory)
    for name in ("one.example", "two.example", "ONE.example"):
        known = hosts.made[name.lower()]
        assert shown(secure(gateway, name, version)) == fingerprint(known)
    for name in ("three.example", None, "localhost", "127.0.0.1", "README"):
        assert shown(secure(gateway, name, version)) == fingerprint(certificate)


def test_a_name_counts_in_the_second_hello_too(serve, hosts):
    """A client that guessed the wrong group says everything twice (HelloRetryRequest)."""
    gateway = serve(ssl_sni_dir=hosts.directory)
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         "-servername", "two.example", "-groups", "X448:P-384", "-tls1_3", "-msg"],
        input=b"QUIT\r\n", capture_output=True, timeout=30)
    assert done.stdout.count(b", ClientHello") == 2
    assert b"Server Temp Key: ECDH, secp384r1" in done.stdout
    shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
                           input=done.stdout, check=True, capture_output=True, timeout=30).stdout
    assert shown.decode().strip().endswith(fingerprint(hosts.made["two.example"]))


@BOTH
def test_a_session_with_a_host_goes_on_on_data_connections(serve, account, hosts, version):
    gateway = serve(ssl_sni_dir=hosts.directory, require_ssl_reuse="YES")
    gateway.secrets.append(account.password)
    session = secure(gateway, "two.example", version).protect().login(account)
    for name in ("two.example", None):
        assert data_handshake(session, name) == fingerprint(hosts.made["two.example"])


def data_handshake(session, name, resume=True):
    """Opens a data connection that names a host, and lists over it."""
    data = session.connect_data()
    session.send("NLST")
    context = session.context
    kept = session.socket.session if resume else None
    protected = context.wrap_socket(data, server_hostname=name, session=kept,
                                    suppress_ragged_eofs=False)
    certificate = shown_on(protected)
    read_all(protected)
    protected.unwrap().close()
    session.next(150)
    session.next(226)
    return certificate


@BOTH
@pytest.mark.parametrize("resume", [False, True], ids=["full", "resumed"])
def test_a_data_connection_may_not_change_the_host(serve, account, hosts, version, resume):
    gateway = serve(ssl_sni_dir=hosts.directory, accept_timeout="3")
    gateway.secrets.append(account.password)
    session = secure(gateway, "one.example", version).protect().login(account)
    own = fingerprint(hosts.made["one.example"])
    assert data_handshake(session, "one.example", resume) == own
    assert data_handshake(session, None, resume) == own
    assert data_handshake(session, "127.0.0.1", resume) == own
    for other in ("two.example", "three.example"):
        with pytest.raises(ssl.SSLError):
            data_handshake(session, other, resume)
        assert session.next(150).code == 150
        session.next(522)
    assert data_handshake(session, "one.example", resume) == own
    assert "another host than the session's" in gateway.log


@BOTH
def test_a_session_without_a_host_keeps_the_certificate_of_all(
        serve, account, certificate, hosts, version):
    gateway = serve(ssl_sni_dir=hosts.directory)
    gateway.secrets.append(account.password)
    session = secure(gateway, None, version).protect().login(account)
    assert data_handshake(session, "one.example", False) == fingerprint(certificate)


@BOTH
def test_host_before_auth_chooses_the_certificate(serve, account, certificate, hosts, version):
    gateway = serve(ssl_sni_dir=hosts.directory)
    gateway.secrets.append(account.password)
    own = fingerprint(hosts.made["one.example"])
    session = secure(gateway, None, version, host="one.example")
    assert shown(session) == own
    session.expect("HOST two.example", 504)
    session.expect("HOST one.example", 220)
    session.protect().login(account)
    assert data_handshake(session, None) == own
    assert shown(secure(gateway, "one.example", version, host="one.example")) == own
    assert refused(lambda: secure(gateway, "two.example", version, host="one.example"))
    assert shown(secure(gateway, None, version, host="other.example")) == fingerprint(certificate)


def test_host_after_auth_names_what_the_handshake_named(serve, hosts):
    gateway = serve(ssl_sni_dir=hosts.directory)
    control = secure(gateway, "one.example")
    control.expect("HOST two.example", 504)
    control.expect("HOST ONE.example", 220)
    secure(gateway, None).expect("HOST two.example", 220)


@BOTH
def test_only_the_expected_name_is_taken(serve, account, version):
    gateway = serve(ssl_sni_hostname="localhost, ftp.example.org")
    gateway.secrets.append(account.password)
    for name in ("localhost", "FTP.example.org"):
        session = secure(gateway, name, version).protect().login(account)
        assert data_handshake(session, name) and data_handshake(session, None)
    for name in (None, "example.org", "127.0.0.1"):
        assert refused(lambda name=name: secure(gateway, name, version))
    assert "TLS handshake for example.org refused (SNI)" in gateway.log
    assert "TLS handshake for no host refused (SNI)" in gateway.log


@BOTH
def test_a_name_may_be_demanded(serve, account, hosts, version):
    gateway = serve(ssl_sni_dir=hosts.directory, ssl_sni_required="YES",
                    host_names="ftp.example.org,one.example")
    gateway.secrets.append(account.password)
    for name in ("one.example", "two.example", "localhost", "ftp.example.org"):
        assert secure(gateway, name, version).alive()
    for name in (None, "three.example", "127.0.0.1"):
        assert refused(lambda name=name: secure(gateway, name, version))
    session = secure(gateway, "two.example", version).protect().login(account)
    assert data_handshake(session, None) == fingerprint(hosts.made["two.example"])


def test_a_host_may_have_keys_of_two_kinds(serve, certificate, hosts):
    rsa = hosts.add("three.example", ["rsa:2048"])
    ec = hosts.add("three.example", kind="-ec")
    alone = hosts.add("four.example", ["rsa:2048"])
    gateway = serve(ssl_sni_dir=hosts.directory)
    for kind, made in (("aRSA", rsa), ("aECDSA", ec)):
        context = lax("TLSv1.2")
        context.set_ciphers(f"ECDHE+AESGCM+{kind}")
        assert shown(secure(gateway, "three.example", context=context)) == fingerprint(made)
    # The certificate for all has an EC key, and is nothing for this host.
    context = lax("TLSv1.2")
    context.set_ciphers("ECDHE+AESGCM+aECDSA")
    with pytest.raises(ssl.SSLError):
        secure(gateway, "four.example", context=context)
    assert shown(secure(gateway, "four.example")) == fingerprint(alone)


def test_hosts_come_and_go_with_a_reload(serve, certificate, hosts):
    gateway = serve(ssl_sni_dir=hosts.directory)
    old = secure(gateway, "one.example")
    new = hosts.add("five.example")
    shutil.rmtree(hosts.directory / "two.example")
    os.symlink("one.example", hosts.directory / "six.example")
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates loaded" in gateway.log, what="the reload")
    assert shown(secure(gateway, "five.example")) == fingerprint(new)
    assert shown(secure(gateway, "two.example")) == fingerprint(certificate)
    one = fingerprint(hosts.made["one.example"])
    assert shown(secure(gateway, "six.example")) == one == shown(secure(gateway, "one.example"))
    assert old.alive()


def test_a_broken_host_leaves_the_old_certificates_in_service(serve, hosts):
    gateway = serve(ssl_sni_dir=hosts.directory)
    known = fingerprint(hosts.made["one.example"])
    shutil.copy(hosts.made["two.example"].key, hosts.made["one.example"].key)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates not loaded" in gateway.log, what="the error")
    assert "one.example/privkey.pem: refused: the key does not belong" in gateway.log
    assert shown(secure(gateway, "one.example")) == known


def check_config(tmp_path, certificate, *lines):
    file = tmp_path / "c.conf"
    file.write_text("\n".join([
        f"pam_conf_dir={daemon.PAM}", f"rsa_cert_file={certificate.chain}",
        f"rsa_private_key_file={certificate.key}", *lines, ""]))
    return subprocess.run([daemon.BINARY, "check-config", file], capture_output=True, text=True,
                          timeout=30)


def test_check_config_looks_at_every_host(tmp_path, certificate, hosts):
    hosts.add("three.example", days=5)
    hosts.add("four.example", names=("other.example",))
    (hosts.directory / "no_certificate.example").mkdir()
    (hosts.directory / "not a name").mkdir()
    done = check_config(tmp_path, certificate, f"ssl_sni_dir={hosts.directory}")
    assert done.returncode == 0, done.stdout
    lines = [line.partition("honoured, but ")[2].replace(" in 5 days", " in 4 days")
             for line in done.stdout.splitlines() if "ssl_sni_dir" in line]
    assert sorted(lines) == [
        "four.example: the certificate is for other names",
        "no_certificate.example is left out: no fullchain.pem",
        "not a name is no name of a host, and is left out",
        "three.example: the certificate expires in 4 days"]


@pytest.mark.parametrize("damage, words", [
    ("mismatch", "two.example/privkey.pem: refused: the key does not belong"),
    ("no key", "two.example/privkey.pem cannot be read"), ("weak", "key too small"), ("writable", "run chmod go-w"),
    ("no directory", "cannot be read")])
def test_check_config_refuses_hosts_that_could_not_be_served(
        tmp_path, certificate, hosts, damage, words):
    key = hosts.made["two.example"].key
    if damage == "mismatch":
        shutil.copy(hosts.made["one.example"].key, key)
    elif damage == "no key":
        key.unlink()
    elif damage == "weak":
        hosts.add("three.example", ["rsa:1024"])
    elif damage == "writable":
        key.chmod(0o620)
    else:
        shutil.rmtree(hosts.directory)
    done = check_config(tmp_path, certificate, f"ssl_sni_dir={hosts.directory}")
    assert done.returncode == 78
    line, = [line for line in done.stdout.splitlines() if ": refused: " in line]
    assert "ssl_sni_dir=" in line and words in line
