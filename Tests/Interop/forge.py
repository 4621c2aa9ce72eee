"""A TLS client that speaks properly until the handshake is over, and then sends any record at all.

OpenSSL does the handshake and reads what the server says; the records to the server are made here,
with the keys that OpenSSL logs.
"""

import hashlib
import hmac
import os
import ssl
import tempfile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23

def record(content_type, body):
    return bytes([content_type, 3, 3]) + len(body).to_bytes(2, "big") + body


def expand(secret, label, context, length, digest):
    """P_hash of RFC 5246 section 5 for a label and a context."""
    seed = label + context
    block, out = seed, b""
    while len(out) < length:
        block = hmac.digest(secret, block, digest)
        out += hmac.digest(secret, block + seed, digest)
    return out[:length]


def expand_label(secret, label, length):
    """HKDF-Expand-Label of RFC 8446 section 7.1, without a context, for one block of SHA-384."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    return hmac.digest(secret, info + b"\1", hashlib.sha384)[:length]


class Forge:
    """Takes over a connected socket on which the server awaits a handshake."""

    def __init__(self, plain, certificate, host, version, context=None):
        self.socket = plain
        self.version = version
        context = context or ssl.create_default_context(cafile=certificate)
        context.minimum_version = context.maximum_version = {
            "TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.set_ciphers("ECDHE+AES128+AESGCM")
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        descriptor, log = tempfile.mkstemp()
        os.close(descriptor)
        try:
            context.keylog_filename = log
            self._handshake()
            context.keylog_filename = None
            with open(log, encoding="ascii") as lines:
                secrets = {words[0]: words for line in lines if len(words := line.split()) == 3}
        finally:
            os.unlink(log)
        if version == "TLSv1.3":
            assert self.tls.cipher()[0] == "TLS_AES_256_GCM_SHA384"
            self._use(bytes.fromhex(secrets["CLIENT_TRAFFIC_SECRET_0"][2]))
        else:
            _, client_random, master = secrets["CLIENT_RANDOM"]
            randoms = self.server_random + bytes.fromhex(client_random)
            keys = expand(bytes.fromhex(master), b"key expansion", randoms, 40, hashlib.sha256)
            self.cipher, self.nonce = AESGCM(keys[:16]), keys[32:36]
            # Finished was the first.
            self.sequence = 1

    def _handshake(self):
        received = b""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                chunk = self.socket.recv(65536)
                assert chunk, "the server ended the handshake"
                received += chunk
                self.incoming.write(chunk)
        self._flush()
        # A record's header, a message's header, the version; then the random bytes.
        self.server_random = received[11:43]

    def _flush(self):
        if data := self.outgoing.read():
            self.socket.sendall(data)

    def _use(self, secret):
        self.secret = secret
        self.cipher = AESGCM(expand_label(secret, b"key", 32))
        self.nonce = expand_label(secret, b"iv", 12)
        self.sequence = 0

    def make(self, content_type, body):
        """One protected record; the next one has to be sent after it."""
        number = self.sequence.to_bytes(8, "big")
        self.sequence += 1
        if self.version == "TLSv1.2":
            header = number + bytes([content_type, 3, 3]) + len(body).to_bytes(2, "big")
            return record(content_type,
                          number + self.cipher.encrypt(self.nonce + number, body, header))
        nonce = bytes(a ^ b for a, b in zip(self.nonce, b"\0" * 4 + number))
        inner = body + bytes([content_type])
        header = bytes([APPLICATION_DATA, 3, 3]) + (len(inner) + 16).to_bytes(2, "big")
        return header + self.cipher.encrypt(nonce, inner, header)

    def key_update(self, request=False):
        """A KeyUpdate (RFC 8446 section 4.6.3), after which the new keys hold."""
        made = self.make(HANDSHAKE, b"\x18\0\0\1" + (b"\1" if request else b"\0"))
        self._use(expand_label(self.secret, b"traffic upd", 48))
        return made

    def send(self, *records):
        self.socket.sendall(b"".join(records))

    def say(self, text):
        self.send(self.make(APPLICATION_DATA, text))

    def read(self):
        """What the server says next; empty at its end."""
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                # OpenSSL may answer by itself, with keys that no longer hold; that is not sent.
                self.outgoing.read()
                try:
                    chunk = self.socket.recv(65536)
                except ConnectionError:
                    return b""
                if not chunk:
                    return b""
                self.incoming.write(chunk)
            except ssl.SSLError:
                return b""

    def is_cut_off(self, *records):
        """Whether the server ends the connection over these records, one by one."""
        try:
            for made in records:
                self.send(made)
            # Not read(): OpenSSL gives up over some answers that are no end.
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def end(self):
        """close_notify, and the end of the connection."""
        self.send(self.make(ALERT, b"\1\0"))
        self.socket.shutdown(1)

    def reply(self):
        line = b""
        while not line.endswith(b"\n"):
            chunk = self.read()
            if not chunk:
                return line.decode()
            line += chunk
        return line.decode()
