"""What the tests in the machine share: an account, a certificate, and the service under systemd."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Interop"))

from accounts import Account  # noqa: E402
from certificates import make_certificate  # noqa: E402
from service import Service  # noqa: E402


@pytest.fixture(scope="session")
def certificate():
    """Not below /tmp, of which the service has one of its own."""
    place = pathlib.Path("/etc/portcullis-test")
    place.mkdir(mode=0o700, exist_ok=True)
    return make_certificate(place, "localhost")


@pytest.fixture(scope="session")
def only_account():
    account = Account.create()
    yield account
    account.remove()


@pytest.fixture
def account(only_account):
    """A real account with an empty home."""
    only_account.empty()
    return only_account


@pytest.fixture
def service(certificate):
    """The service as the package has it, started with options that a test names."""
    made = Service(certificate)
    yield made
    made.forget()
