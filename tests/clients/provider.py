"""A small OpenID provider on loopback: the network edge the relying parties are tested against.

It answers over real HTTP with really signed tokens, and can be told to answer wrongly.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from urllib.parse import unquote_plus, urlencode

from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def new_key(kid):
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class StandInProvider:
    """State and switches; `wrong` changes what it says: {"nonce": …, "iss": …, …}."""

    client_id = "a client"
    client_secret = "s%cret:+ä"

    def __init__(self, key):
        self.keys = [key]
        self.person = {"sub": "person-1"}
        self.sid = "session-1"
        self.wrong = {}
        self.error = None
        self.api_status = 202
        self.api_headers = {}
        self.calls = []
        self.asked = []
        self.codes = {}
        self.tokens = {}
        self._server = make_server("127.0.0.1", 0, _app(self), threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def id_token(self, nonce):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.person["sub"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": nonce,
            "sid": self.sid,
        }
        claims |= self.wrong.get("id_token", {})
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def sign(self, claims, *, key=None, **header):
        key = key or self.keys[-1]
        header = {"alg": "RS256", "kid": key.kid} | header
        return jwt.encode({n: v for n, v in header.items() if v is not None}, claims, key)

    def logout_token(self, now, *, key=None, typ="logout+jwt", **changes):
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 120,
            "jti": secrets.token_urlsafe(8),
            "events": {EVENT: {}},
            "sid": self.sid,
            "sub": self.person["sub"],
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.sign(claims, key=key, typ=typ)

    def messages(self, path):
        return [json.loads(body) for called, body in self.calls if called.endswith(path)]


def _app(op):
    app = Flask("provider")
    _describe(app, op)
    _sign_people_in(app, op)
    _tell_claims(app, op)
    _take_messages(app, op)
    return app


def _describe(app, op):
    @app.get("/.well-known/openid-configuration")
    def discovery():
        if op.wrong.get("down"):
            return "", 503
        return jsonify(
            {
                "issuer": op.issuer,
                "authorization_endpoint": f"{op.issuer}/authorize",
                "token_endpoint": f"{op.issuer}/token",
                "userinfo_endpoint": f"{op.issuer}/userinfo",
                "jwks_uri": f"{op.issuer}/jwks",
                "end_session_endpoint": f"{op.issuer}/end_session",
                "scopes_supported": ["openid", "profile", "household", "children", "delegation"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "authorization_response_iss_parameter_supported": True,
            }
            | op.wrong.get("discovery", {})
        )

    @app.get("/jwks")
    def jwks():
        op.asked.append("jwks")
        return jsonify(keys=[key.as_dict(private=False) for key in op.keys])


def _sign_people_in(app, op):
    @app.get("/authorize")
    def authorize():
        asked = request.args.to_dict()
        op.asked.append(asked)
        answer = {"state": asked["state"], "iss": op.issuer} | op.wrong.get("answer", {})
        if op.error:
            answer["error"] = op.error
        elif "code" not in answer:
            answer["code"] = secrets.token_urlsafe(8)
            op.codes[answer["code"]] = asked
        answer = {name: value for name, value in answer.items() if value is not None}
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    @app.post("/token")
    def token():
        if op.wrong.get("token_status"):
            return jsonify(error="server_error"), op.wrong["token_status"]
        asked = op.codes.pop(request.form["code"], None)
        if asked is None or not _is_redeemable(asked) or not _is_client(op):
            return jsonify(error="invalid_grant"), 400
        access_token = secrets.token_urlsafe(8)
        op.tokens[access_token] = True
        body = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": op.id_token(asked.get("nonce")),
        }
        return jsonify({n: v for n, v in (body | op.wrong.get("token", {})).items() if v})


def _tell_claims(app, op):
    @app.get("/userinfo")
    def userinfo():
        if request.authorization.token not in op.tokens:
            return jsonify(error="invalid_token"), 401
        return jsonify(op.person | op.wrong.get("userinfo", {}))


def _take_messages(app, op):
    @app.route("/api/notifications", methods=["POST"])
    @app.route("/api/pending-notices", methods=["PUT"])
    def api():
        assert _is_client(op)
        assert request.content_type == "application/json"
        op.calls.append((request.path, request.get_data(as_text=True)))
        return jsonify(status="accepted"), op.api_status, op.api_headers

    @app.get("/end_session")
    def end_session():
        asked = request.args
        assert asked["id_token_hint"]
        answer = urlencode({"state": asked["state"]})
        return redirect(f"{asked['post_logout_redirect_uri']}?{answer}", 303)

    @app.get("/long")
    def long():
        return "x" * 100_000

    @app.get("/elsewhere")
    def elsewhere():
        return redirect("/jwks", 302)


def _is_redeemable(asked):
    challenge = hashlib.sha256(request.form["code_verifier"].encode()).digest()
    return (
        asked["code_challenge"] == base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        and asked["code_challenge_method"] == "S256"
        and asked["redirect_uri"] == request.form["redirect_uri"]
    )


def _is_client(op):
    """RFC 6749 §2.3.1: both parts are form-urlencoded before they are joined."""
    basic = request.authorization
    return (
        basic is not None
        and basic.type == "basic"
        and unquote_plus(basic.username) == op.client_id
        and unquote_plus(basic.password) == op.client_secret
    )
