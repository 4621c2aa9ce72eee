"""Apache Commons Net on Java: stock, with the resuming subclass, and with the usual reflection."""

import pathlib
import shutil
import subprocess

import pytest

from gateway import CLIENTS

COMMONS_NET = pathlib.Path("/usr/share/java/commons-net.jar")
OPENED = ["--add-opens=java.base/sun.security.ssl=ALL-UNNAMED",
          "--add-opens=java.base/sun.security.util=ALL-UNNAMED"]
WITHOUT_MASTER_SECRET = "-Djdk.tls.useExtendedMasterSecret=false"
WITHOUT_TICKETS = "-Djdk.tls.client.enableSessionTicketExtension=false"
BOTH = pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    if not shutil.which("javac") or not COMMONS_NET.exists():
        pytest.fail("missing: javac or commons-net; run .ci/install-packages test")
    directory = tmp_path_factory.mktemp("classes")
    sources = [*CLIENTS.glob("*.java"), *(pathlib.Path(__file__).parent / "clients").glob("*.java")]
    subprocess.run(["javac", "-d", directory, "-cp", COMMONS_NET, *sources], check=True, timeout=60)
    return directory


@pytest.fixture(scope="module")
def trust_store(certificate, tmp_path_factory):
    store = tmp_path_factory.mktemp("store") / "trust.p12"
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-storetype", "PKCS12", "-storepass", "changeit",
         "-alias", "gateway", "-file", certificate.chain, "-keystore", store],
        check=True, capture_output=True, timeout=60)
    return store


@pytest.fixture
def transfers(classes, trust_store, account):
    """Runs some transfers of a client of the given kind; what it printed."""

    def run(gateway, kind, version="any", *flags, count=6):
        gateway.secrets.append(account.password)
        done = subprocess.run(
            ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
             f"-Djavax.net.ssl.trustStore={trust_store}",
             "-Djavax.net.ssl.trustStorePassword=changeit", *flags,
             "-cp", f"{classes}:{COMMONS_NET}", "Transfers",
             kind, gateway.host, str(gateway.port), version, str(count)],
            input=f"{account.name}\n{account.password}\n".encode(), capture_output=True,
            timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


def resumed(gateway):
    return gateway.log.count("proof=session")


@BOTH
def test_the_stock_client_works_where_reuse_is_optional(serve, transfers, version):
    gateway = serve()
    assert transfers(gateway, "stock", version).startswith("complete")
    assert resumed(gateway) == 0


def test_the_stock_client_is_told_of_reuse_where_it_is_required(serve, transfers):
    out = transfers(serve(require_ssl_reuse="YES"), "stock")
    assert out.startswith("failed") and "522 TLS session reuse required" in out
    assert "200 NOOP ok." in out, "the session goes on"


@pytest.mark.parametrize("version,flags", [
    ("any", []), ("TLSv1.3", []), ("TLSv1.2", []), ("TLSv1.2", [WITHOUT_MASTER_SECRET]),
    ("TLSv1.2", [WITHOUT_TICKETS])])
def test_the_resuming_client_satisfies_the_requirement(serve, transfers, version, flags):
    gateway = serve(require_ssl_reuse="YES")
    assert transfers(gateway, "resuming", version, *flags).startswith("complete")
    assert resumed(gateway) == 18


@pytest.mark.parametrize("flags", [[], [WITHOUT_MASTER_SECRET], [WITHOUT_TICKETS]],
                         ids=["as-it-is", "without-master-secret", "without-tickets"])
def test_the_usual_reflection_works_under_tls_12(serve, transfers, flags):
    gateway = serve(require_ssl_reuse="YES")
    assert transfers(gateway, "reflecting", "TLSv1.2", *OPENED, *flags).startswith("complete")
    assert resumed(gateway) == 18


def test_the_usual_reflection_is_told_of_reuse_under_tls_13(serve, transfers):
    """Java keeps what resumes a TLS 1.3 session apart from what getSession() gives."""
    out = transfers(serve(require_ssl_reuse="YES"), "reflecting", "TLSv1.3", *OPENED)
    assert out.startswith("failed") and "522 TLS session reuse required" in out
