#!/usr/bin/python3
"""Makes the corpus of the comparison of mail authentication.

Usage: corpus.py DIRECTORY [--some]

Writes DIRECTORY/zone.json (records for the name server), DIRECTORY/cases.json
(who sent what) and the messages. Signatures are made here, on dkimpy's
primitives, so that they can be wrong in every way; messages that Concord is to
sign are marked. `--some` makes a smaller corpus.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time

import dkim
from dkim import canonicalization
from dkim.crypto import parse_pem_private_key, RSASSA_PKCS1_v1_5_sign, HASH_ALGORITHMS
import nacl.encoding
import nacl.signing

DIRECTORY = sys.argv[1]
SOME = "--some" in sys.argv
NOW = int(time.time())
CLIENT = "192.0.2.10"
STRANGER = "203.0.113.9"

zone = []
cases = []
keys = {}


def record(kind, name, *value):
    zone.append([kind, name, *value])


def txt(name, text):
    record("TXT", name, text)


# ---- keys ----

def rsa_key(name, bits):
    path = os.path.join(DIRECTORY, name + ".key")
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, str(bits)],
                   check=True, stderr=subprocess.DEVNULL)
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout", "-outform", "DER"],
                            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    keys[name] = parse_pem_private_key(open(path, "rb").read()), path
    return base64.b64encode(public).decode()


def ed_key(name):
    key = nacl.signing.SigningKey.generate()
    path = os.path.join(DIRECTORY, name + ".key")
    open(path, "wb").write(key.encode(encoder=nacl.encoding.Base64Encoder))
    keys[name] = key, path
    return key.verify_key.encode(encoder=nacl.encoding.Base64Encoder).decode()


def sign_text(key, algorithm, text):
    if algorithm == "ed25519-sha256":
        return keys[key][0].sign(hashlib.sha256(text).digest()).signature
    digest = HASH_ALGORITHMS[algorithm.encode()]()
    digest.update(text)
    return RSASSA_PKCS1_v1_5_sign(digest, keys[key][0])


# ---- messages ----

def fields(message):
    """Header fields as (name, value with its line ends), and the body."""
    head, _, body = message.partition(b"\r\n\r\n")
    found = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            found[-1][1] += line + b"\r\n"
        else:
            name, _, value = line.partition(b":")
            found.append([name, value + b"\r\n"])
    return found, body


STANDARD = ["From", "To", "Subject", "Date", "Message-ID"]


def signature(message, domain="alpha.example", selector="rsa", key="rsa", algorithm="rsa-sha256",
              canon="relaxed/relaxed", h=None, tags=None, drop=(), space="", length=None,
              t=NOW, name=b"DKIM-Signature"):
    """A DKIM-Signature field; `tags` replaces tags, `drop` leaves some out."""
    header, _, body_mode = canon.partition("/")
    policy = canonicalization.CanonicalizationPolicy.from_c_value(canon.encode())
    found, body = fields(message)
    h = STANDARD if h is None else h
    canonical = policy.canonicalize_body(body)
    digest = hashlib.sha1 if algorithm == "rsa-sha1" else hashlib.sha256
    covered = canonical if length is None else canonical[:length]
    values = {"v": "1", "a": algorithm, "c": canon, "d": domain, "s": selector, "t": str(t),
              "h": ":".join(h), "bh": base64.b64encode(digest(covered).digest()).decode(), "b": ""}
    if length is not None:
        values["l"] = str(length)
    values.update(tags or {})
    for tag in drop:
        values.pop(tag, None)
    # The signature itself goes behind all others.
    values["b"] = values.pop("b")
    text = (";" + space + " ").join(f"{k}={space}{v}" for k, v in values.items())
    left = {}
    chosen = []
    for wanted in h:
        wanted = wanted.lower().encode()
        same = [f for f in found if f[0].strip().lower() == wanted]
        at = left.get(wanted, len(same)) - 1
        if at >= 0:
            chosen.append(tuple(same[at]))
        left[wanted] = max(at, 0)
    own = (name, b" " + text.encode())
    data = b"".join(k + b":" + v for k, v in policy.canonicalize_headers(chosen))
    data += b"".join(k + b":" + v for k, v in policy.canonicalize_headers([(own[0], own[1] + b"\r\n")])).rstrip(b"\r\n")
    made = base64.b64encode(sign_text(key, algorithm, data)).decode()
    return name + b": " + text.encode() + made.encode() + b"\r\n"


def base(author="alice@alpha.example", subject="a message", body=b"Hello, this is text.\r\n", more=b"",
         number=[0]):
    number[0] += 1
    return (f"From: Alice <{author}>\r\nTo: Bob <bob@beta.example>\r\nSubject: {subject}\r\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number[0]}@alpha.example>\r\n"
            ).encode() + more + b"\r\n" + body


def case(name, message, ip=CLIENT, helo="mail.alpha.example", mail_from="alice@alpha.example", group="dkim",
         sign=None, seals=0):
    if isinstance(message, tuple):
        message = b"".join(message)
    file = os.path.join(DIRECTORY, f"{len(cases):04}.eml")
    open(file, "wb").write(message)
    cases.append({"name": name, "group": group, "file": file, "ip": ip, "helo": helo,
                  "mail_from": mail_from, "sign": sign, "seals": seals})


# ---- what there is in the DNS ----

def publish():
    rsa = rsa_key("rsa", 2048)
    rsa_key("other", 2048)
    old = rsa_key("rsa1024", 1024)
    short = rsa_key("short", 768)
    ed = ed_key("ed")
    for domain in ["alpha.example", "sub.alpha.example", "gamma.example", "none.example", "quar.example",
                   "rej.example", "strict.example", "sp.example", "mail.sp.example", "test.example",
                   "two.example", "nodmarc.example", "np.example", "pct.example", "arc.example",
                   "mail.strict.example", "o.example"]:
        txt(f"rsa._domainkey.{domain}", f"v=DKIM1; k=rsa; p={rsa}")
        txt(f"ed._domainkey.{domain}", f"v=DKIM1; k=ed25519; p={ed}")
    at = "._domainkey.alpha.example"
    txt("old" + at, f"v=DKIM1; p={old}")
    txt("short" + at, f"v=DKIM1; p={short}")
    txt("gone" + at, "v=DKIM1; k=rsa; p=")
    txt("bad" + at, "v=DKIM1; k=rsa; p=this is no key")
    txt("kind" + at, f"v=DKIM1; k=dsa; p={rsa}")
    txt("version" + at, f"v=DKIM2; k=rsa; p={rsa}")
    txt("sha1" + at, f"v=DKIM1; h=sha1; p={rsa}")
    txt("report" + at, f"v=DKIM1; s=tlsrpt; p={rsa}")
    txt("email" + at, f"v=DKIM1; s=email; p={rsa}")
    txt("testing" + at, f"v=DKIM1; t=y; p={rsa}")
    txt("exact" + at, f"v=DKIM1; t=s; p={rsa}")
    txt("plain" + at, f"p={rsa}")
    txt("spaced" + at, f" v = DKIM1 ;  k = rsa ; n=a note; p = {rsa} ; ")
    record("SERVFAIL", "fails" + at)

    spf = "v=spf1 ip4:192.0.2.0/24 -all"
    for domain in ["alpha.example", "sub.alpha.example", "none.example", "quar.example", "rej.example",
                   "strict.example", "mail.strict.example", "sp.example", "mail.sp.example",
                   "test.example", "two.example", "nodmarc.example", "gamma.example", "np.example",
                   "pct.example", "arc.example", "mail.alpha.example"]:
        txt(domain, spf)
        record("A", domain, "192.0.2.10")
    txt("_dmarc.alpha.example", "v=DMARC1; p=reject; rua=mailto:reports@alpha.example")
    txt("_dmarc.none.example", "v=DMARC1; p=none")
    txt("_dmarc.quar.example", "v=DMARC1; p=quarantine")
    txt("_dmarc.rej.example", "v=DMARC1; p=reject; sp=quarantine")
    txt("_dmarc.strict.example", "v=DMARC1; p=reject; adkim=s; aspf=s")
    txt("_dmarc.sp.example", "v=DMARC1; p=none; sp=reject")
    txt("_dmarc.test.example", "v=DMARC1; p=reject; t=y")
    txt("_dmarc.pct.example", "v=DMARC1; p=reject; pct=0")
    txt("_dmarc.np.example", "v=DMARC1; p=none; sp=quarantine; np=reject")
    txt("_dmarc.two.example", "v=DMARC1; p=reject")
    txt("_dmarc.two.example", "v=DMARC1; p=none")
    txt("_dmarc.gamma.example", "v=DMARC1; p=none")
    txt("_dmarc.odd.example", "v = DMARC1 ; p = reject ; x=y;")
    txt("odd.example", spf)
    txt("_dmarc.late.example", " v=DMARC1; p=reject")
    txt("late.example", spf)
    txt("_dmarc.nop.example", "v=DMARC1; sp=reject")
    txt("nop.example", spf)
    txt("_dmarc.broken.example", "v=DMARC2; p=reject")
    txt("broken.example", spf)
    record("SERVFAIL", "_dmarc.down.example")
    txt("down.example", spf)
    record("PTR", CLIENT, "mail.alpha.example")


# ---- DKIM ----

BODIES = {
    "plain": b"Hello, this is text.\r\n",
    "empty": b"",
    "only an empty line": b"\r\n",
    "no last line end": b"Hello, this is text",
    "empty lines at the end": b"Hello\r\n\r\n\r\n\r\n",
    "spaces at line ends": b"Hello  \t\r\nWorld \r\n",
    "runs of spaces and tabs": b"a  b\t\tc \t d\r\n \t\r\n  indented\r\n",
    "eight bits": "Grüße aus Köln, 日本\r\n".encode(),
    "latin letters without a charset": b"Gr\xfc\xdfe\r\n",
    "dots": b".\r\n..\r\n.a\r\n",
    "a long line": b"x" * 990 + b"\r\n",
    "many lines": b"0123456789 abcdefgh\r\n" * 400,
    "only spaces": b"   \r\n \t \r\n",
}
HEADERS = {
    "a folded subject": ("a subject\r\n that is\r\n\tfolded", b""),
    "odd spaces": ("a   subject \t with  spaces  ", b""),
    "an encoded word": ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", b""),
    "raw UTF-8": ("Grüße 日本", b""),
    "an empty subject": ("", b""),
    "unsigned fields": ("x", b"X-Other: 1\r\nReceived: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\r\n"),
    "a field of many lines": ("x", b"References: <1@x>\r\n" + b"".join(b" <%d@x>\r\n" % n for n in range(60))),
}
CANONS = ["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"]
ALGORITHMS = [("rsa", "rsa", "rsa-sha256"), ("ed", "ed", "ed25519-sha256")]


def valid():
    for canon in CANONS:
        for name, body in BODIES.items():
            for selector, key, algorithm in ALGORITHMS:
                if algorithm.startswith("ed") and canon not in ("relaxed/relaxed", "simple/simple"):
                    continue
                m = base(body=body)
                case(f"{algorithm} {canon}, body: {name}",
                     (signature(m, selector=selector, key=key, algorithm=algorithm, canon=canon), m))
        for name, (subject, more) in HEADERS.items():
            m = base(subject=subject, more=more)
            case(f"{canon}, {name}", (signature(m, canon=canon), m))


def key_variants():
    m = base()
    for selector, key in [("old", "rsa1024"), ("email", "rsa"), ("testing", "rsa"), ("plain", "rsa"),
                          ("spaced", "rsa"), ("exact", "rsa"), ("short", "short"), ("gone", "rsa"),
                          ("bad", "rsa"), ("kind", "rsa"), ("version", "rsa"), ("sha1", "rsa"),
                          ("report", "rsa"), ("nothing", "rsa"), ("fails", "rsa"), ("rsa", "other")]:
        case(f"key {selector} signed by {key}", (signature(m, selector=selector, key=key), m))
    case("key exact, identity of a subdomain",
         (signature(m, selector="exact", tags={"i": "alice@mail.alpha.example"}), m))
    case("ed25519 signature, key of RSA",
         (signature(m, selector="rsa", key="ed", algorithm="ed25519-sha256"), m))
    case("RSA signature, key of ed25519", (signature(m, selector="ed", key="rsa"), m))
    case("rsa-sha1", (signature(m, algorithm="rsa-sha1"), m))


def changed():
    for canon in CANONS:
        m = base(body=b"Hello, this is text.\r\n")
        s = signature(m, canon=canon)
        case(f"{canon}, body changed", (s, m.replace(b"this is", b"this was")))
        case(f"{canon}, text added", (s, m + b"more\r\n"))
        case(f"{canon}, subject changed", (s, m.replace(b"a message", b"another message")))
        case(f"{canon}, empty lines added", (s, m + b"\r\n\r\n"))
        case(f"{canon}, a space added in the body", (s, m.replace(b"this is", b"this  is")))
        case(f"{canon}, subject folded", (s, m.replace(b"a message", b"a\r\n message")))
        case(f"{canon}, name of a field in other letters", (s, m.replace(b"Subject:", b"SUBJECT:")))
        case(f"{canon}, a second Subject in front", (s, b"Subject: other\r\n", m))
        case(f"{canon}, a second Subject behind",
             (s, m.replace(b"\r\n\r\n", b"\r\nSubject: other\r\n\r\n", 1)))
        over = signature(m, canon=canon, h=STANDARD + ["Subject"])
        case(f"{canon}, oversigned", (over, m))
        case(f"{canon}, oversigned, a second Subject", (over, b"Subject: other\r\n", m))


def tags():
    m = base()
    variants = {
        "expired": dict(t=NOW - 7200, tags={"x": str(NOW - 3600)}),
        "expires tomorrow": dict(tags={"x": str(NOW + 86400)}),
        "expires before it was made": dict(t=NOW, tags={"x": str(NOW - 10)}),
        "identity": dict(tags={"i": "alice@alpha.example"}),
        "identity of a subdomain": dict(tags={"i": "alice@mail.alpha.example"}),
        "identity of another domain": dict(tags={"i": "alice@beta.example"}),
        "identity without a local part": dict(tags={"i": "@alpha.example"}),
        "From not signed": dict(h=["To", "Subject", "Date"]),
        "nothing but From": dict(h=["From"]),
        "names that are not there": dict(h=STANDARD + ["X-Not-There", "Cc"]),
        "names in small letters": dict(h=[n.lower() for n in STANDARD]),
        "version 2": dict(tags={"v": "2"}),
        "no version": dict(drop=["v"]),
        "no t": dict(drop=["t"]),
        "no canonicalisation": dict(drop=["c"], canon="simple/simple"),
        "only one canonicalisation": dict(canon="relaxed/simple", tags={"c": "relaxed"}),
        "no d": dict(drop=["d"]),
        "no s": dict(drop=["s"]),
        "no h": dict(drop=["h"]),
        "no bh": dict(drop=["bh"]),
        "unknown tag": dict(tags={"zz": "top"}),
        "unknown algorithm": dict(tags={"a": "rsa-md5"}),
        "query method": dict(tags={"q": "dns/txt"}),
        "spaces around tags": dict(space=" "),
        "tags folded": dict(space="\r\n\t"),
    }
    for name, how in variants.items():
        case(f"signature with {name}", (signature(m, **how), m))
    whole = signature(m)
    case("signature wrapped in its base64",
         (whole.replace(b"; b=", b";\r\n\tb=\r\n\t ")[:-60] + b"\r\n\t" + whole[-60:], m))
    case("signature cut", (whole[:-40] + b"\r\n", m))
    case("signature that is no base64", (whole[:-40] + b"!!!!\r\n", m))
    case("signature with a final semicolon", (signature(m)[:-2] + b"\r\n", m))


def lengths():
    for canon in CANONS:
        body = b"Hello,  this is text. \r\n\r\nsecond part\r\n\r\n\r\n"
        m = base(body=body)
        policy = canonicalization.CanonicalizationPolicy.from_c_value(canon.encode())
        full = len(policy.canonicalize_body(body))
        case(f"{canon}, l= of the whole", (signature(m, canon=canon, length=full), m))
        case(f"{canon}, l= of a part", (signature(m, canon=canon, length=10), m))
        case(f"{canon}, l= and text added", (signature(m, canon=canon, length=full), m + b"advertisement\r\n"))
        case(f"{canon}, l= beyond the end", (signature(m, canon=canon, length=full, tags={"l": str(full + 50)}), m))
        case(f"{canon}, l=0", (signature(m, canon=canon, length=0), m))


def several():
    m = base()
    good, bad = signature(m), signature(m, key="other")
    both = signature(m, selector="ed", key="ed", algorithm="ed25519-sha256")
    foreign = signature(m, domain="gamma.example")
    case("two signatures, RSA and ed25519", (good, both, m))
    case("two signatures, the first bad", (bad, good, m))
    case("two signatures, the second bad", (good, bad, m))
    case("two bad signatures", (bad, bad, m))
    case("signatures of two domains", (foreign, good, m))
    case("signature of another domain only", (foreign, m))
    case("ten signatures", ([good] * 9 and b"".join([good] * 9), both, m))
    case("no signature", m)
    two = base(more=b"From: Mallory <mallory@evil.example>\r\n")
    case("two From fields, both signed", (signature(two, h=["From", "From", "To", "Subject"]), two), group="from")
    one = base()
    case("a second From added", (signature(one), b"From: Mallory <mallory@evil.example>\r\n", one), group="from")
    same = base(more=b"From: Alice Two <alice2@alpha.example>\r\n")
    case("two From fields of one domain", (signature(same, h=["From", "From", "To"]), same), group="from")
    pair = base().replace(b"From: Alice <alice@alpha.example>", b"From: Alice <alice@alpha.example>, Bob <bob@quar.example>")
    case("two authors in one From", (signature(pair), pair), group="from")
    mates = base().replace(b"From: Alice <alice@alpha.example>", b"From: Alice <alice@alpha.example>, Bob <bob@alpha.example>")
    case("two authors of one domain", (signature(mates), mates), group="from")
    none = base().split(b"\r\n", 1)[1]
    case("no From", none, group="from")
    quoted = base().replace(b"From: Alice <alice@alpha.example>", b'From: "x@quar.example" <alice@alpha.example>')
    case("an address as a display name", (signature(quoted), quoted), group="from")
    comment = base().replace(b"From: Alice <alice@alpha.example>", b"From: alice@alpha.example (Alice (A.) <x@quar.example>)")
    case("an address in a comment", (signature(comment), comment), group="from")


def ours():
    """Concord signs these; the peers verify."""
    for name, body in BODIES.items():
        case(f"signed by Concord, body: {name}", base("alice@ours.example", body=body), sign="dkim",
             mail_from="alice@ours.example", group="ours")
    for name, (subject, more) in HEADERS.items():
        case(f"signed by Concord, {name}", base("alice@ours.example", subject=subject, more=more),
             sign="dkim", mail_from="alice@ours.example", group="ours")
    case("signed by Concord for a subdomain", base("alice@mail.ours.example"), sign="dkim",
         mail_from="alice@ours.example", group="ours")


# ---- DMARC ----

def dmarc():
    policies = ["none.example", "quar.example", "rej.example", "strict.example", "sp.example",
                "mail.sp.example", "test.example", "two.example", "nodmarc.example", "x.rej.example",
                "mail.strict.example", "y.np.example", "pct.example", "a.b.c.d.e.f.g.h.rej.example",
                "REJ.Example"]
    for author in policies:
        org = ".".join(author.lower().split(".")[-2:])
        for dkim_kind in ["aligned", "foreign", "none", "organisation"]:
            for spf_kind in ["aligned", "fails", "foreign", "null"]:
                m = base(f"alice@{author}")
                signed_by = {"aligned": author.lower(), "foreign": "gamma.example", "organisation": org}.get(dkim_kind)
                known = signed_by and any(z[1] == f"rsa._domainkey.{signed_by}" for z in zone)
                if dkim_kind == "aligned" and not known or dkim_kind == "organisation" and org == author.lower():
                    continue
                s = signature(m, domain=signed_by) if signed_by else b""
                sender = {"aligned": f"alice@{author}", "fails": f"alice@{author}",
                          "foreign": "alice@gamma.example", "null": ""}[spf_kind]
                case(f"From {author}, DKIM {dkim_kind}, SPF {spf_kind}", (s, m), group="dmarc",
                     ip=STRANGER if spf_kind == "fails" else CLIENT, mail_from=sender,
                     helo="mail.alpha.example")
    m = base("alice@rej.example")
    case("From rej.example, DKIM of a domain of one letter", (signature(m, domain="o.example"), m),
         group="dmarc", ip=STRANGER, mail_from="alice@rej.example", helo="mail.alpha.example")
    for author in ["odd.example", "late.example", "nop.example", "broken.example", "down.example"]:
        case(f"From {author}, odd record", base(f"alice@{author}"), group="dmarc",
             ip=STRANGER, mail_from=f"alice@{author}")


# ---- SPF ----

def spf():
    records = {
        "ip4": "v=spf1 ip4:192.0.2.10 -all", "ip4-net": "v=spf1 ip4:192.0.2.0/25 -all",
        "a": "v=spf1 a -all", "a-other": "v=spf1 a:mail.alpha.example -all", "a-net": "v=spf1 a/24 -all",
        "mx": "v=spf1 mx -all", "ptr": "v=spf1 ptr -all", "ptr-other": "v=spf1 ptr:alpha.example -all",
        "exists": "v=spf1 exists:%{i}.list.example -all", "exists-not": "v=spf1 exists:%{ir}.list.example -all",
        "fail": "v=spf1 -all", "soft": "v=spf1 ~all", "neutral": "v=spf1 ?all", "empty": "v=spf1",
        "plus": "v=spf1 +all", "include": "v=spf1 include:ip4.spf.example -all",
        "include-fail": "v=spf1 include:fail.spf.example ~all",
        "include-soft": "v=spf1 -include:soft.spf.example ?all",
        "include-none": "v=spf1 include:missing.spf.example -all",
        "include-bad": "v=spf1 include:syntax.spf.example -all",
        "include-minus": "v=spf1 -include:ip4.spf.example +all",
        "redirect": "v=spf1 redirect=ip4.spf.example", "redirect-none": "v=spf1 redirect=missing.spf.example",
        "redirect-all": "v=spf1 ~all redirect=ip4.spf.example",
        "loop": "v=spf1 include:loop.spf.example -all",
        "syntax": "v=spf1 foo:bar -all", "bad-ip": "v=spf1 ip4:192.0.2.1/33 -all",
        "bad-ip2": "v=spf1 ip4:300.1.1.1 -all", "modifier": "v=spf1 unknown=x ip4:192.0.2.10 -all",
        "twice-redirect": "v=spf1 redirect=alpha.example redirect=beta.example",
        "case": "V=SPF1 IP4:192.0.2.10 -ALL", "spaces": "v=spf1   ip4:192.0.2.10    -all  ",
        "version": "v=spf10 ip4:192.0.2.10 -all", "macro": "v=spf1 include:%{d2}.inc.example -all",
        "macro-local": "v=spf1 exists:%{l}.users.example -all", "macro-bad": "v=spf1 exists:%{z}.x -all",
        "exp": "v=spf1 -all exp=why.spf.example", "limit10": "v=spf1 " + " ".join(f"include:i{n}.spf.example" for n in range(10)) + " ip4:192.0.2.10 -all",
        "limit11": "v=spf1 " + " ".join(f"include:i{n}.spf.example" for n in range(11)) + " ip4:192.0.2.10 -all",
        "void2": "v=spf1 a:v1.example a:v2.example ip4:192.0.2.10 -all",
        "void3": "v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.10 -all",
        "mx-many": "v=spf1 mx:many.example ip4:192.0.2.10 -all", "mx-none": "v=spf1 mx:v1.example ip4:192.0.2.10 -all",
        "servfail-a": "v=spf1 a:fail.example -all", "ip6": "v=spf1 ip6:2001:db8::/32 -all",
        "after-all": "v=spf1 -all ip4:192.0.2.10", "no-all": "v=spf1 ip4:198.51.100.1",
    }
    for n in range(11):
        txt(f"i{n}.spf.example", "v=spf1 ip4:198.51.100.7 -all")
    for name, text in records.items():
        txt(f"{name}.spf.example", text)
    txt("twice.spf.example", "v=spf1 ip4:192.0.2.10 -all")
    txt("twice.spf.example", "v=spf1 -all")
    txt("with-other.spf.example", "some other text")
    txt("with-other.spf.example", "v=spf1 ip4:192.0.2.10 -all")
    txt("include-twice.spf.example", "v=spf1 include:twice.spf.example -all")
    txt("only-other.spf.example", "some other text")
    record("SERVFAIL", "servfail.spf.example")
    txt("spf.example.inc.example", "v=spf1 ip4:192.0.2.10 -all")
    txt("why.spf.example", "%{i} may not send for %{d}")
    record("A", "192.0.2.10.list.example", "127.0.0.2")
    record("A", "alice.users.example", "127.0.0.2")
    for name in ["a", "a-net"]:
        record("A", f"{name}.spf.example", "192.0.2.10" if name == "a" else "192.0.2.99")
    record("MX", "mx.spf.example", 10, "mail.alpha.example.")
    for n in range(11):
        record("MX", "many.example", n, f"m{n}.many.example.")
        record("A", f"m{n}.many.example", "198.51.100.8")
    record("SERVFAIL", "fail.example")
    names = list(records) + ["twice", "with-other", "include-twice", "only-other", "servfail", "missing"]
    for name in names:
        domain = f"{name}.spf.example"
        case(f"SPF {name}", base(f"alice@{domain}"), mail_from=f"alice@{domain}", group="spf")
    for name in ["ip4", "a", "mx", "include", "redirect", "soft", "ip6"]:
        domain = f"{name}.spf.example"
        case(f"SPF {name} of a stranger", base(f"alice@{domain}"), ip=STRANGER,
             mail_from=f"alice@{domain}", group="spf")
    case("SPF ip6 of its client", base("alice@ip6.spf.example"), ip="2001:db8::25",
         mail_from="alice@ip6.spf.example", group="spf")
    case("SPF of HELO for the null path", base(), mail_from="", helo="ip4.spf.example", group="spf")
    case("SPF of HELO that fails", base(), mail_from="", helo="fail.spf.example", group="spf")
    case("SPF of a literal HELO", base(), mail_from="", helo="[192.0.2.10]", group="spf")
    case("SPF of a name in capitals", base(), mail_from="alice@IP4.SPF.Example", group="spf")


# ---- ARC ----

def arc():
    def chain(length):
        m = base()
        m = signature(m) + m
        private = open(keys["rsa"][1], "rb").read()
        for n in range(length):
            # dkimpy takes the state of the chain from here.
            state = b"pass" if n else b"none"
            results = (b"Authentication-Results: peer.example; arc=" + state
                       + b"; dkim=pass header.d=alpha.example; dmarc=pass header.from=alpha.example\r\n")
            sealed = dkim.ARC(results + m).sign(b"rsa", b"arc.example", private, b"peer.example", timestamp=NOW,
                                      include_headers=[n.lower().encode() for n in STANDARD])
            m = b"".join(sealed) + m
        return m

    for length in range(1, 6):
        m = chain(length)
        case(f"ARC of {length} sealed by dkimpy", m, group="arc")
        case(f"ARC of {length}, body changed", m + b"more\r\n", group="arc")
        case(f"ARC of {length}, subject changed", m.replace(b"a message", b"another", 1), group="arc")
        case(f"ARC of {length}, seal changed", m.replace(b"ARC-Seal: i=%d; cv=" % length, b"ARC-Seal: i=%d; cv=x" % length, 1), group="arc")
        case(f"ARC of {length}, results changed",
             m.replace(b"ARC-Authentication-Results: i=1; peer.example;", b"ARC-Authentication-Results: i=1; other.example;", 1), group="arc")
        lines = m.split(b"\r\n")
        first = next(i for i, l in enumerate(lines) if l.startswith(b"ARC-Seal: i=1"))
        last = first + 1
        while lines[last][:1] in (b" ", b"\t"):
            last += 1
        case(f"ARC of {length}, first seal missing", b"\r\n".join(lines[:first] + lines[last:]), group="arc")
        case(f"ARC of {length}, first seal twice",
             b"\r\n".join(lines[first:last] + lines), group="arc")
    for length in range(1, 6):
        case(f"ARC of {length} sealed by Concord", base(), sign=None, seals=length, group="arc")


publish()
valid()
key_variants()
changed()
tags()
lengths()
several()
ours()
dmarc()
spf()
arc()
if SOME:
    # Every third of the large groups, everything of the small ones.
    small = [c for c in cases if c["group"] in ("from", "ours", "arc")]
    rest = [c for c in cases if c["group"] not in ("from", "ours", "arc")]
    cases = rest[::3] + small
json.dump(zone, open(os.path.join(DIRECTORY, "zone.json"), "w"))
json.dump(cases, open(os.path.join(DIRECTORY, "cases.json"), "w"))
print(len(cases))
