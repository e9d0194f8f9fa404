"""A little OpenID Provider on a real port: it signs with a real key and checks who asks."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT_ID = "kosodate-at-upstream"
CLIENT_KEY = ECKey.generate_key("P-256", {"kid": "ours-1"})
NAME = "佐倉 美咲"


def new_key(kid="up-1"):
    return ECKey.generate_key("P-256", {"kid": kid})


@dataclass
class Upstream:
    """What the provider does; tests change one thing of it."""

    issuer: str
    clock: object
    key: ECKey = field(default_factory=new_key)
    #: Keys that are published, if not the one that signs.
    published: list | None = None
    subject: str = "card-1"
    name: str | None = NAME
    #: Changes of the claims and the header of the next ID token.
    claims: dict = field(default_factory=dict)
    header: dict = field(default_factory=dict)
    #: Changes of what the browser brings back, and of the metadata.
    answer: dict = field(default_factory=dict)
    metadata: dict = field(default_factory=dict)
    status: int = 200
    #: What was asked at each endpoint.
    asked: list = field(default_factory=list)
    codes: dict = field(default_factory=dict)

    def id_token(self, nonce):
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "acr": "aal3",
            "name": self.name,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": self.key.kid} | self.header
        if header["alg"] == "none":
            parts = (self._part(header), self._part(claims), "")
            return ".".join(parts)
        return jwt.encode(header, claims, self.key, algorithms=[header["alg"]])

    @staticmethod
    def _part(content):
        import json

        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def make_upstream_app(upstream):
    """Build the provider's endpoints."""
    app = Flask("upstream")

    @app.get("/.well-known/openid-configuration")
    def metadata():
        document = {
            "issuer": upstream.issuer,
            "authorization_endpoint": f"{upstream.issuer}/authorize",
            "token_endpoint": f"{upstream.issuer}/token",
            "jwks_uri": f"{upstream.issuer}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }
        return jsonify(document | upstream.metadata), upstream.status

    @app.get("/jwks")
    def jwks():
        upstream.asked.append("jwks")
        keys = upstream.published or [upstream.key]
        return jsonify(keys=[key.as_dict(private=False) for key in keys])

    @app.get("/authorize")
    def authorize():
        asked = dict(request.args)
        upstream.asked.append(asked)
        code = secrets.token_urlsafe(16)
        upstream.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": upstream.issuer}
        answer = {k: v for k, v in (answer | upstream.answer).items() if v is not None}
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", code=302)

    @app.post("/token")
    def token():
        form = dict(request.form)
        upstream.asked.append(form)
        asked = upstream.codes.pop(form["code"], None)
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        is_right = (
            asked is not None
            and base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
            and is_client(form)
        )
        if not is_right:
            return jsonify(error="invalid_grant"), 400
        return jsonify(
            access_token="x", token_type="Bearer", id_token=upstream.id_token(asked["nonce"])
        )

    def is_client(form):
        proof = jwt.decode(form["client_assertion"], CLIENT_KEY, algorithms=["ES256"])
        return (
            proof.header["kid"] == CLIENT_KEY.kid
            and proof.claims["iss"] == proof.claims["sub"] == CLIENT_ID
            and proof.claims["aud"] == upstream.issuer
        )

    return app
