"""Signs what the prober sends to the carrier's routes, as the carrier does, so that more is seen of them than 403.

Loaded by the prober (schemathesis.toml). The token and the address come from `cargo xtask api`.
"""

import base64
import hashlib
import hmac
import os
from urllib.parse import parse_qsl

import requests
import schemathesis

FORM = "application/x-www-form-urlencoded"
TOKEN = os.environ["PROBE_TOKEN"].encode()


@schemathesis.auth().apply_to(path_regex="^/twilio/")
class Signature:
    """The header `X-Twilio-Signature`: HMAC-SHA1 over the address, and over the sorted fields of a form."""

    def get(self, case, ctx):
        return TOKEN

    def set(self, case, token, ctx):
        sent = requests.Request(**case.as_transport_kwargs()).prepare()
        body = sent.body or b""
        body = body.encode() if isinstance(body, str) else body
        if sent.headers.get("Content-Type", "").startswith(FORM):
            fields = sorted(set(parse_qsl(body.decode("utf-8", "surrogateescape"), keep_blank_values=True)))
            text = sent.url + "".join(name + value for name, value in fields)
        else:
            # Anything else is covered by its checksum, and the address with it by the signature.
            case.query = {**(case.query or {}), "bodySHA256": hashlib.sha256(body).hexdigest()}
            text = requests.Request(**case.as_transport_kwargs()).prepare().url
        digest = hmac.new(token, text.encode("utf-8", "surrogateescape"), hashlib.sha1).digest()
        case.headers["X-Twilio-Signature"] = base64.b64encode(digest).decode()
