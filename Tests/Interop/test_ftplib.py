"""Python's ftplib, the client that most partners' scripts use."""

import ftplib
import io
import ssl

import pytest

from control import VERSIONS
from gateway import ResumingFTP

BOTH = pytest.mark.parametrize("version", VERSIONS)
CONTENT = bytes(range(256)) * 1000


def test_the_program_from_the_manual_works(gateway, account):
    account.file("hello.txt", b"hello")
    lines = []
    ftps = ftplib.FTP_TLS()
    ftps.connect(gateway.host, gateway.port)
    ftps.login(account.name, account.password)
    ftps.prot_p()
    ftps.retrlines("LIST", lines.append)
    assert ftps.quit().startswith("221")
    assert len(lines) == 1 and lines[0].startswith("-rw-r--r--")
    assert lines[0].endswith(" hello.txt") and " 5 " in lines[0]


@BOTH
@pytest.mark.parametrize("kind", [ftplib.FTP_TLS, ResumingFTP])
@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
@pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
def test_files_travel_both_ways(serve, account, request, version, kind, passive, family):
    if family == 6:
        request.getfixturevalue("ipv6")
    gateway = serve(family=family)
    ftp = gateway.ftp(account, version, kind)
    assert ftp.sock.version() == version
    ftp.set_pasv(passive)
    assert ftp.storbinary("STOR data.bin", io.BytesIO(CONTENT)).startswith("226")
    assert (account.home / "data.bin").read_bytes() == CONTENT
    received = bytearray()
    assert ftp.retrbinary("RETR data.bin", received.extend).startswith("226")
    assert received == CONTENT
    assert ftp.nlst() == ["data.bin"]
    ftp.quit()


@BOTH
def test_every_data_connection_of_a_resuming_client_is_resumed(gateway, account, version):
    ftp = gateway.ftp(account, version, ResumingFTP)
    for number in range(10):
        ftp.storbinary(f"STOR {number}", io.BytesIO(b"x" * number))
        assert ftp.reused, f"data connection {number} was not resumed"
    assert sorted(ftp.nlst()) == [str(number) for number in range(10)]


@BOTH
def test_a_download_resumes_at_an_offset(gateway, account, version):
    account.file("data.bin", CONTENT)
    ftp = gateway.ftp(account, version)
    received = bytearray()
    ftp.retrbinary("RETR data.bin", received.extend, rest=100_000)
    assert received == CONTENT[100_000:]


def test_an_upload_resumes_at_an_offset(gateway, account):
    account.file("data.bin", CONTENT[:100_000])
    ftp = gateway.ftp(account)
    ftp.storbinary("STOR data.bin", io.BytesIO(CONTENT[100_000:]), rest=100_000)
    assert (account.home / "data.bin").read_bytes() == CONTENT


def test_text_travels_with_its_lines_converted(gateway, account):
    ftp = gateway.ftp(account)
    ftp.storlines("STOR text", io.BytesIO(b"one\ntwo\n"))
    assert (account.home / "text").read_bytes() == b"one\ntwo\n"
    lines = []
    ftp.retrlines("RETR text", lines.append)
    assert lines == ["one", "two"]


def test_directories_are_made_entered_listed_and_removed(gateway, account):
    ftp = gateway.ftp(account)
    assert ftp.pwd() == "/"
    assert ftp.mkd("reports") == "/reports"
    assert ftp.mkd('say "hi"') == '/say "hi"'
    ftp.cwd("reports")
    assert ftp.pwd() == "/reports"
    ftp.storbinary("STOR inside", io.BytesIO(b"1234"))
    facts = dict(ftp.mlsd())
    assert facts["inside"]["type"] == "file" and facts["inside"]["size"] == "4"
    assert len(facts["inside"]["modify"]) == 14
    ftp.cwd("..")
    facts = dict(ftp.mlsd("", ["type"]))
    assert facts["reports"]["type"] == "dir"
    with pytest.raises(ftplib.error_perm, match="^550"):
        ftp.rmd("reports")
    ftp.delete("reports/inside")
    ftp.rmd("reports")
    ftp.rmd('say "hi"')
    assert list(account.home.iterdir()) == []


def test_files_are_renamed_deleted_and_measured(gateway, account):
    account.file("old", b"12345")
    ftp = gateway.ftp(account)
    ftp.voidcmd("TYPE I")
    assert ftp.size("old") == 5
    ftp.rename("old", "new name")
    assert ftp.size("new name") == 5
    assert not (account.home / "old").exists()
    ftp.delete("new name")
    assert not (account.home / "new name").exists()
    with pytest.raises(ftplib.error_perm, match="^550"):
        ftp.delete("new name")


def test_modification_times_are_read_and_set(gateway, account):
    path = account.file("dated", b"x")
    ftp = gateway.ftp(account)
    reply = ftp.sendcmd("MFMT 20200102030405 dated")
    assert reply.startswith("213 Modify=20200102030405;") and reply.endswith("dated")
    assert int(path.stat().st_mtime) == 1577934245
    assert ftp.sendcmd("MDTM dated") == "213 20200102030405"


def test_an_aborted_download_leaves_the_session_usable(gateway, account):
    account.sparse("big", 1 << 28)
    ftp = gateway.ftp(account)
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("RETR big")
    data.recv(1000)
    assert ftp.abort().startswith("426")
    data.close()
    assert ftp.voidresp().startswith("226")
    assert ftp.pwd() == "/"
    assert ftp.nlst() == ["big"]


@BOTH
def test_an_empty_directory_lists_as_nothing(gateway, account, version):
    ftp = gateway.ftp(account, version)
    assert ftp.nlst() == []
    assert list(ftp.mlsd()) == []
    lines = []
    ftp.retrlines("LIST", lines.append)
    assert lines == []


def test_a_missing_file_is_550_and_the_session_goes_on(gateway, account):
    ftp = gateway.ftp(account)
    with pytest.raises(ftplib.error_perm, match="^550"):
        ftp.retrbinary("RETR nothing", bytes)
    with pytest.raises(ftplib.error_perm, match="^550"):
        ftp.cwd("nowhere")
    assert ftp.pwd() == "/"


def test_names_in_utf8_come_back_as_they_were_sent(gateway, account):
    names = ["Grüße", "naïve", "日本語", "emoji 🏰", "e\u0301 combining", "'single'", 'back\\slash']
    ftp = gateway.ftp(account)
    for name in names:
        ftp.storbinary(f"STOR {name}", io.BytesIO(name.encode()))
    assert sorted(ftp.nlst()) == sorted(names)
    assert sorted(path.name for path in account.home.iterdir()) == sorted(names)


def test_a_client_that_forgets_prot_p_is_told_so(gateway, account):
    ftp = ftplib.FTP_TLS(context=gateway.context(), timeout=20)
    gateway.clients.append(ftp)
    ftp.connect(gateway.host, gateway.port)
    ftp.login(account.name, account.password)
    with pytest.raises(ftplib.error_perm, match="^521.*PROT P"):
        ftp.nlst()
    ftp.prot_p()
    assert ftp.nlst() == []


def test_plain_ftp_cannot_log_in(gateway, account):
    gateway.secrets.append(account.password)
    ftp = ftplib.FTP(timeout=20)
    gateway.clients.append(ftp)
    ftp.connect(gateway.host, gateway.port)
    with pytest.raises(ftplib.error_perm, match="^530.*AUTH TLS"):
        ftp.login(account.name, account.password)


def test_a_client_that_verifies_refuses_a_stranger(gateway):
    ftp = ftplib.FTP_TLS(context=ssl.create_default_context(), timeout=20)
    gateway.clients.append(ftp)
    ftp.connect(gateway.host, gateway.port)
    with pytest.raises(ssl.SSLCertVerificationError):
        ftp.auth()
