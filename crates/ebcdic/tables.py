#!/usr/bin/env python3
"""Writes src/tables.rs from ICU's tables, which are IBM's own (CDRA).

Needs ICU's `uconv` (Debian: icu-devtools). The eleven basic pages hold exactly
the characters of Latin-1, so one octet tells each. A page with the euro is a
basic page with U+20AC for U+00A4; this script refuses to write anything if that
does not hold.

Run it in this directory: ./tables.py > src/tables.rs
"""
import subprocess
import sys

BASIC = [37, 273, 277, 278, 280, 284, 285, 297, 500, 871, 1047]
EURO = dict(zip(range(1140, 1150), BASIC))


def page(number):
    done = subprocess.run(["uconv", "-f", f"ibm-{number}", "-t", "UTF-16LE"],
                          input=bytes(range(256)), capture_output=True, check=True)
    return list(memoryview(done.stdout).cast("H"))


def table(name, octets):
    print(f"pub(crate) const {name}: [u8; 256] = [")
    for at in range(0, 256, 16):
        print("    " + ", ".join(f"{o:#04x}" for o in octets[at:at + 16]) + ",")
    print("];")


print("//! Written by tables.py; not to be changed by hand.")
print("//!")
print("//! `TO_x`: the Latin-1 character of each octet of page x. `FROM_x`: the octet of")
print("//! each Latin-1 character.")
for number in BASIC:
    characters = page(number)
    if sorted(characters) != list(range(256)):
        sys.exit(f"page {number} is not a rearrangement of Latin-1")
    print()
    table(f"TO_{number:03}", characters)
    table(f"FROM_{number:03}", [characters.index(c) for c in range(256)])
for number, basic in EURO.items():
    if page(number) != [0x20AC if c == 0xA4 else c for c in page(basic)]:
        sys.exit(f"page {number} is not page {basic} with the euro")
