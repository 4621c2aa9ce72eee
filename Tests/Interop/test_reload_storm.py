"""SIGHUP while many clients are in the middle of their handshakes."""

import shutil
import signal
import threading

from certificates import Certificate, make_certificate_of
from control import wait_until

P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
CLIENTS = 6
HANDSHAKES = 25
RELOADS = 12


def test_no_handshake_fails_while_certificates_are_exchanged(serve, account, tmp_path):
    both = [make_certificate_of(P256, tmp_path, "first"),
            make_certificate_of(["rsa:2048"], tmp_path, "second")]
    live = Certificate(tmp_path / "live.pem", tmp_path / "live.key")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(b"".join(made.chain.read_bytes() for made in both))

    def install(made):
        shutil.copy(made.chain, live.chain)
        shutil.copy(made.key, live.key)

    install(both[0])
    gateway = serve(rsa_cert_file=live.chain, rsa_private_key_file=live.key)
    gateway.certificate = Certificate(trusted, None)
    old = gateway.session(account)
    old.store("STOR x", b"content")
    failures, seen, counter = [], set(), [0]
    lock = threading.Lock()

    def client(number):
        version = ("TLSv1.2", "TLSv1.3")[number % 2]
        for _ in range(HANDSHAKES):
            try:
                control = gateway.control().secure(context=gateway.context(version))
                control.expect("NOOP", 200)
                with lock:
                    seen.add(control.socket.getpeercert()["subject"])
                control.close()
            except Exception as error:
                failures.append(repr(error))
            with lock:
                counter[0] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for number in range(1, RELOADS + 1):
        # Reloads are spread over the storm, each while some of the clients are still to come.
        share = CLIENTS * HANDSHAKES * (number - 1) // (RELOADS + 1)
        wait_until(lambda: counter[0] >= share, 60, "the handshakes so far")
        install(both[number % 2])
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: gateway.log.count("certificates loaded") >= number, 20, "the reload")
        assert old.retrieve("RETR x", resume=number % 2 == 0) == b"content"
    for thread in threads:
        thread.join(60)
    assert failures == [] and counter[0] == CLIENTS * HANDSHAKES
    assert len(seen) == 2, "both certificates were served"
    assert old.alive()
    gateway.close_clients()
    wait_until(lambda: len(gateway.signers()) == 1, what="the end of the keys that nobody uses")
