"""Makes a call with the generated client and reads its record until the call is completed.

Run by `cargo xtask api` with the client beside it; arguments: the server's address and a key.
"""

import sys
import time

from redial_client import AuthenticatedClient
from redial_client.api.calls import create_call, get_call, list_calls
from redial_client.models import Accepted, Call, CallWord, Error, OutboundCall, Page

# The carrier's simulator answers this number at the second dial.
TO = "+15551230105"
FROM = "+15550001111"
# Far beyond what two quick dials take.
PATIENCE_SECONDS = 30


def main(address: str, key: str) -> None:
    client = AuthenticatedClient(base_url=address, token=key)

    wanted = OutboundCall(
        to=TO, from_=FROM, user_id="ada", message="Your taxi is here.", retry_delays=["200ms"]
    )
    accepted = create_call.sync(client=client, body=wanted)
    assert isinstance(accepted, Accepted), accepted
    assert accepted.to == TO and accepted.user_id == "ada", accepted

    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        call = get_call.sync("ada", str(accepted.call_id), client=client)
        assert isinstance(call, Call), call
        if call.status == CallWord.COMPLETED:
            break
        assert time.monotonic() < until, f"not completed in time: {call}"
        time.sleep(0.1)
    statuses = [attempt.status.value for attempt in call.attempts]
    assert statuses == ["no-answer", "completed"], statuses
    assert call.attempts[0].twilio_sid == accepted.twilio_sid, call
    assert [event.kind.value for event in call.events][0] == "accepted", call.events

    page = list_calls.sync("ada", client=client, status=CallWord.COMPLETED)
    assert isinstance(page, Page) and page.total == 1, page
    missing = get_call.sync("bob", str(accepted.call_id), client=client)
    assert isinstance(missing, Error) and missing.code.value == "call_not_found", missing
    print(f"call {call.call_id}: {', '.join(statuses)}")


main(*sys.argv[1:])
