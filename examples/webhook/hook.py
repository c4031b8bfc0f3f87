"""Messages to the HTTP endpoint, and what its answers mean in LMTP."""

import base64
import email
import email.policy
import hashlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
import urllib.parse

# Octets of the endpoint's answer that are read; only its status counts.
MAX_ANSWER = 64 << 10
# Octets of the text part that stand in the JSON; the whole is in `raw`.
MAX_TEXT = 1 << 20
# Fields of a header that are handed on.
MAX_HEADERS = 1000


def typed_address(address):
    """`HOOK:orders/new` for `IMCEAHOOK-orders_new@host`; None for others."""
    found = re.match(r"^IMCEA([A-Z0-9]{1,16})-([^@]+)@", address, re.IGNORECASE)
    if not found:
        return None
    encoded = found.group(2).replace("_", "/")
    octets = re.sub(r"\+([0-9A-Fa-f]{2})", lambda m: chr(int(m.group(1), 16)), encoded)
    try:
        return f"{found.group(1).upper()}:{octets.encode('latin-1').decode('utf-8')}"
    except UnicodeError:
        return None


def as_json(sender, recipient, raw):
    """What is posted."""
    headers, text = [], ""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        headers = [[name, str(value)] for name, value in message.items()[:MAX_HEADERS]]
        part = message.get_body(("plain",))
        if part is not None:
            text = part.get_content().replace("\r\n", "\n")[:MAX_TEXT]
    except Exception:  # pylint: disable=broad-except
        # Mail may be anything. Whoever wants to know more has `raw`.
        pass
    envelope = {"from": sender, "to": recipient}
    address = typed_address(recipient)
    if address:
        envelope["address"] = address
    return {
        "envelope": envelope,
        "headers": headers,
        "text": text,
        "raw": base64.b64encode(raw).decode("ascii"),
    }


def idempotency_key(sender, recipient, raw):
    """The same whenever the core tries the same delivery again."""
    digest = hashlib.sha256()
    for part in (sender.encode(), recipient.encode(), raw):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def words(text):
    """Text that may stand in a reply: printable, one line, not long."""
    return "".join(c if c.isprintable() else " " for c in str(text))[:200]


def post(settings, sender, recipient, raw):
    """Posts a message for one recipient; gives back the lines of the LMTP reply."""
    url = urllib.parse.urlsplit(settings.url)
    body = json.dumps(as_json(sender, recipient, raw), ensure_ascii=True).encode("ascii")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "concord-webhook/1.0",
        "Idempotency-Key": idempotency_key(sender, recipient, raw),
    }
    if settings.url_token:
        headers["Authorization"] = f"Bearer {settings.url_token}"
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            url.hostname, url.port, timeout=settings.timeout, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=settings.timeout)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    began = time.monotonic()
    watch = None
    try:
        connection.connect()
        # The time-out of a socket is for each octet; this one is for all.
        left = settings.timeout - (time.monotonic() - began)
        watch = threading.Timer(max(left, 0.1), cut, [connection.sock])
        watch.daemon = True
        watch.start()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(MAX_ANSWER)
        return reply(url.hostname, answer.status, words(answer.reason))
    except (OSError, http.client.HTTPException) as error:
        return [f"451 4.4.1 cannot reach {words(url.hostname)}: {words(error)}"]
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()


def cut(stream):
    """Ends a request that takes too long."""
    try:
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def reply(host, status, reason):
    """The endpoint's answer as an LMTP reply in its name."""
    if 200 <= status < 300:
        code, enhanced = 250, "2.0.0"
    elif 400 <= status < 500 and status != 429:
        code, enhanced = 550, "5.0.0"
    else:
        # 5xx and 429; and redirections, which are mistakes in the settings.
        code, enhanced = 451, "4.4.1"
    # An endpoint sends no reports of delivery; the core does, if told so.
    return [
        f"{code}-{enhanced} remote-mta: dns; {words(host)}; no-dsn",
        f"{code} {enhanced} HTTP {status} {reason}".rstrip(),
    ]
