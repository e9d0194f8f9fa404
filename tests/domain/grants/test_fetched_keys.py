"""Keys of clients read with the real outgoing client from a real https server."""

import ipaddress
import json
import ssl
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.base.clock import utc_now
from idp.base.http import MAX_BYTES, HttpClient
from idp.domain.grants.client_keys import ASK_AGAIN_AFTER, ClientKeys, KeysWanted
from idp.domain.grants.client_signatures import open_client_token
from idp.domain.grants.clients import find_client

OLD = ECKey.generate_key("P-256", {"kid": "old"})
NEW = ECKey.generate_key("P-256", {"kid": "new"})


def make_certificate(folder):
    """Make a certificate that vouches for itself, as a private authority would."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    own = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(own, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "authority.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    chain = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(private + path.read_bytes())
    return path, chain


class Publisher(BaseHTTPRequestHandler):
    """Answers with the bytes and status its server holds, and notes who asked for what."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Host"]))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/jwk-set+json")
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def authority(tmp_path):
    return make_certificate(tmp_path)


@pytest.fixture
def server(authority):
    """A service's own server, with nothing published yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    server.asked, server.answer = [], (404, b"")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def uri(server):
    return f"https://localhost:{server.server_address[1]}/keys"


@pytest.fixture
def client(world, uri):
    return replace(world.do(find_client, "booking"), jwks_uri=uri, jwks=None)


@pytest.fixture
def known(authority):
    """Keys as the endpoints know them: this machine is a network that the operator named."""
    http = HttpClient(
        timeout_seconds=5, ca_file=str(authority[0]), allowed_networks=("127.0.0.0/8", "::1/128")
    )
    return ClientKeys(http)


def publish(server, *keys, status=200):
    body = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()
    server.answer = (status, body)


def opened(world, keys, client, key):
    """Open a token as the endpoints do: fetch outside of it, then begin again."""
    text = jwt.encode({"alg": "ES256", "kid": key.kid}, {"iss": "booking"}, key)

    def run():
        return open_client_token(
            text, client, algorithms=("ES256",), client_keys=keys, now=world.now
        )

    for _ in range(2):
        try:
            return run()
        except KeysWanted as wanted:
            keys.fetch(wanted.uri, now=world.now)
    return run()


def test_keys_are_read_over_https_once_and_again_for_an_unknown_kid(
    world, server, client, known, uri
):
    publish(server, OLD)
    assert opened(world, known, client, OLD).claims == {"iss": "booking"}
    assert opened(world, known, client, OLD) is not None
    assert server.asked == [("/keys", uri.split("/")[2])]
    publish(server, NEW)
    world.clock.advance(ASK_AGAIN_AFTER)
    assert opened(world, known, client, NEW) is not None
    assert opened(world, known, client, OLD) is None
    assert len(server.asked) == 2


def test_sr_04_a_certificate_nobody_vouches_for_is_not_trusted(world, server, client):
    publish(server, OLD)
    stranger = ClientKeys(HttpClient(timeout_seconds=5, allowed_networks=("127.0.0.0/8",)))
    assert opened(world, stranger, client, OLD) is None
    assert server.asked == []


def test_sr_02_an_inner_address_is_refused_at_the_call_as_well(world, server, client, authority):
    publish(server, OLD)
    outward = ClientKeys(HttpClient(timeout_seconds=5, ca_file=str(authority[0])))
    assert opened(world, outward, client, OLD) is None
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (302, b""),
        (404, b"{}"),
        (200, b"no JSON"),
        (200, b"[" * 5_000),
        (200, b"{}"),
        (200, b" " * (MAX_BYTES + 1)),
    ],
)
def test_sr_04_an_answer_that_is_no_key_set_holds_no_key(
    world, server, client, known, status, body
):
    server.answer = (status, body)
    assert opened(world, known, client, OLD) is None
    # The failure is remembered for a while, whatever requests say (SR-04).
    assert opened(world, known, client, OLD) is None
    assert len(server.asked) == 1
    publish(server, OLD)
    world.clock.advance(ASK_AGAIN_AFTER)
    assert opened(world, known, client, OLD) is not None
