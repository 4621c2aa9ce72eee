"""Passwords: gone from every process once they were checked, and never anywhere else."""

import os
import re
import secrets
import subprocess

import pytest

import proc
from gateway import ROOT, key_lines


def holders(gateway, *needles):
    """The processes of the daemon in whose memory one of some texts stands."""
    processes = [gateway.pid, *proc.tree(gateway.pid)]
    assert len(processes) >= 4
    needles = [needle.encode() if isinstance(needle, str) else needle for needle in needles]
    return {proc.name(pid) for pid in processes if proc.memory_holds(pid, needles)}


def distinctive(count=40):
    """A password that nothing else in memory looks like, not even its parts."""
    return "Pw" + secrets.token_urlsafe(count)[:count]


def parts(password):
    """Pieces of a password, since an overwritten front hides a whole one."""
    return [password[start:start + 12] for start in range(2, len(password) - 12, 9)]


def test_a_right_password_is_in_no_process_after_the_login(gateway, account):
    session = gateway.session(account)
    assert holders(gateway, account.name), "the search itself finds nothing"
    assert not holders(gateway, *parts(account.password))
    session.store("STOR f", b"x")
    session.alive()
    assert not holders(gateway, *parts(account.password))


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_wrong_passwords_are_in_no_process_after_the_refusal(serve, account, version):
    gateway = serve(max_login_fails="10")
    control = gateway.control(context=gateway.context(version)).secure()
    for name in (account.name, "nobody-of-ours", "root"):
        words = [distinctive(size) for size in (500, 40, 20)]
        for password in words:
            control.expect(f"USER {name}", 331)
            control.expect(f"PASS {password}", 530)
        # Every third piece of the long one: what is left somewhere is left in a row.
        pieces = [piece for word in words for piece in parts(word)]
        assert not holders(gateway, *pieces[::3], *pieces[-3:]), name
    assert control.alive()


def test_passwords_that_are_no_passwords_are_in_no_process(gateway):
    words = [distinctive() for _ in range(6)]
    gateway.secrets += words
    control = gateway.control().secure()
    control.expect(f"PASS {words[0]}", 503)
    control.expect(f"PASS{words[1]}", 500)
    control.expect(f"PASS\t{words[2]}", 500, 501, 503)
    control.expect("USER somebody", 331)
    control.expect("PASS " + words[3] * 20, 501)
    control.expect("ACCT " + words[4], 503)
    control.expect("PASS " + words[5] * 200, 500)
    assert control.alive()
    for word in words:
        assert not holders(gateway, *parts(word)), words.index(word)


def test_passwords_among_queued_commands_are_in_no_process(serve, account):
    gateway = serve(max_login_fails="9")
    gateway.secrets.append(account.password)
    wrong = [distinctive() for _ in range(3)]
    gateway.secrets += wrong
    control = gateway.control().secure()
    lines = ["NOOP"]
    for password in wrong:
        lines += [f"USER {account.name}", f"PASS {password}", "NOOP"]
    lines += [f"USER {account.name}", f"PASS {account.password}", "PWD", "NOOP"] + ["SYST"] * 200
    control.raw("".join(f"{line}\r\n" for line in lines).encode())
    codes = [control.reply().code for _ in lines]
    assert codes == [200] + [331, 530, 200] * 3 + [331, 230, 257, 200] + [215] * 200
    assert not holders(gateway, *parts(account.password), *(p for w in wrong for p in parts(w)))


def test_a_password_behind_a_running_transfer_is_in_no_process(gateway, account):
    session = gateway.session(account)
    password = distinctive()
    gateway.secrets.append(password)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    session.raw(f"PWD\r\nPASS {password}\r\nNOOP\r\n".encode())
    data.sendall(b"x")
    data.unwrap().close()
    session.next(226)
    session.next(257)
    session.next(503)
    session.next(200)
    assert not holders(gateway, *parts(password))


def test_a_password_in_clear_is_in_no_process_after_the_login(serve, account):
    gateway = serve(ssl_enable="NO", plain_system_logins="YES")
    gateway.secrets.append(account.password)
    control = gateway.control()
    wrong = distinctive()
    gateway.secrets.append(wrong)
    control.expect(f"USER {account.name}", 331)
    control.expect(f"PASS {wrong}", 530)
    control.login(account)
    processes = [gateway.pid, *proc.tree(gateway.pid)]
    needles = [part.encode() for word in (wrong, account.password) for part in parts(word)]
    assert not [proc.name(pid) for pid in processes if proc.memory_holds(pid, needles)]


# The output.

def test_the_search_of_every_test_knows_what_to_look_for(gateway, account):
    session = gateway.session(account)
    session.raw(b"PASS first-of-two\r\npass  second-of-two\r\nPASSthird-one\r\nNOOP\r\n")
    for code in (503, 503, 500, 200):
        session.next(code)
    keys = key_lines(gateway.certificate.key)
    assert len(keys) > 1
    assert {account.password, "first-of-two", "second-of-two", "third-one", *keys} <= set(
        gateway.secrets)
    gateway.errors += b"third-one"
    with pytest.raises(AssertionError, match="stands in the output"):
        gateway.check_log()
    gateway.errors[-9:] = b""


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_ticket_and_no_master_secret_is_in_the_output(serve, account, tmp_path, version):
    gateway = serve(debug_ssl="YES")
    kept = tmp_path / "session.pem"
    subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", version, "-sess_out", kept, "-ign_eof",
         "-connect", f"{gateway.host}:{gateway.port}"], capture_output=True, timeout=30, check=True,
        input=f"USER {account.name}\nPASS {account.password}\nEPSV\nQUIT\n".encode())
    text = subprocess.run(
        ["openssl", "sess_id", "-in", kept, "-noout", "-text"],
        capture_output=True, timeout=30, check=True, text=True).stdout
    secret, = re.findall(r"(?:Master-Key|Resumption PSK): ([0-9A-F]+)", text)
    rows = re.findall(r"^    00[0-9a-f]0 - ((?:[0-9a-f]{2}[ -])+)", text, re.MULTILINE)
    assert len(rows) > 4, text
    pieces = [re.sub("[ -]", "", row) for row in rows[:-1]]
    log = gateway.log.lower()
    assert "tls established" in log and account.name in log
    for piece in [secret[:16].lower(), *pieces]:
        assert piece not in log.replace(":", "").replace(" ", "")


@pytest.mark.parametrize("text, is_secret", [
    ("a line\nanother", False), ("PASS ****", False), ("PASSED in 3 s", False),
    ("-----BEGIN CERTIFICATE-----", False),
    ("-----BEGIN EC PRIVATE" " KEY-----", True), ("x PASS of-somebody", True),
    ("demo:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7:", True),
])
def test_the_search_of_the_output_of_other_checks_knows_a_secret(text, is_secret):
    done = subprocess.run([ROOT / ".ci/without-secrets", "printf", "%s", text],
                          capture_output=True, text=True, timeout=30)
    assert done.stdout == text
    assert done.returncode == is_secret


def test_a_log_that_goes_elsewhere_is_searched_as_well(serve, account, tmp_path):
    with open(tmp_path / "log", "ab", buffering=0) as log:
        gateway = serve(log=log)
        assert gateway.session(account).alive()
        gateway.check_log()
        os.write(log.fileno(), account.password.encode())
        with pytest.raises(AssertionError, match="stands in the output"):
            gateway.check_log()
        os.truncate(log.name, 0)
