"""The second yardstick: the least that Flask can do on the same server, 200 bytes of JSON.

How many signatures an operation costs depends on the processor twice over: on how fast it runs
Python, and on how fast it signs. So a run says its costs in both measures.
"""

from flask import Flask, Response, jsonify

#: What both took on the machine of the aims, this one on Granian (CPU milliseconds).
SIGNATURE_MS, BARE_MS = 0.220, 0.086
_FILLING = "x" * 189


def build_bare() -> Flask:
    """Build an application that does nothing."""
    app = Flask(__name__)

    @app.get("/")
    def answer() -> Response:
        return jsonify(a=_FILLING)

    return app
