#!/usr/bin/env python3
"""Inspects the output of `sam build`: what each function contains, its size, and whether it says why it can't start.

    tests/sam/artefacts.py BUILD     BUILD is .aws-sam/build

Cold starts are short because of what a binary leaves out (docs/decisions/0004-cold-start.md), and a panic fails only one
invocation because of how it is compiled (docs/decisions/0005-panics-unwind.md). Cargo.toml requests both, but other tools
also affect what is deployed.
"""

import io
import json
import pathlib
import struct
import subprocess
import sys
import zipfile

# The size limit of each function's archive in bytes, a few percent above its current size. Raise it
# only on purpose.
BUDGETS = {
    "AuthorizeLogin": 2_710_000,
    "AuthorizeRequest": 2_420_000,
    "CloseAccount": 2_630_000,
    "Invite": 2_840_000,
    "LiftSuppression": 2_730_000,
    "List": 2_610_000,
    "MailFeedback": 2_530_000,
    "MembersPage": 1_200_000,
    "ProvisionAccount": 2_530_000,
    "PublishChanges": 2_400_000,
    "Remove": 2_640_000,
    "Resend": 2_780_000,
    "SupportFeedback": 2_720_000,
    "UpdateDetails": 2_720_000,
}

# Functions that don't call AWS, and need no TLS.
WITHOUT_TLS = {"MembersPage"}

# Traces of aws-lc and ring in a stripped binary: source paths, and prefixes of C functions in assertion messages.
# The jitter entropy collector of aws-lc leaves none.
AWS_LC = [b"aws-lc", b"aws_lc_", b"AWS-LC"]
RING = b"/ring-0."

# The minimum share of unwind tables in a binary. They are over 2% of every function, but only 0.2% with
# `panic = "abort"`, from the precompiled standard library.
UNWINDING = 0.01


def sections(binary):
    """The names and sizes of the sections in a little-endian 64-bit ELF file."""
    if binary[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a little-endian 64-bit ELF file")
    (start,) = struct.unpack_from("<Q", binary, 0x28)
    size, count, of_names = struct.unpack_from("<HHH", binary, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", binary, start + size * each) for each in range(count)]
    names = headers[of_names][4]
    return {
        binary[names + name : binary.index(b"\0", names + name)].decode(): length
        for name, _, _, _, _, length in headers
    }


def zipped(binary):
    """The size of the archive that SAM uploads."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zip_file:
        zip_file.writestr("bootstrap", binary)
    return len(archive.getvalue())


def faults(name, binary, size):
    for mark in AWS_LC:
        if mark in binary:
            yield f"contains aws-lc: {mark.decode()!r}"
    if (RING in binary) == (name in WITHOUT_TLS):
        yield "contains ring" if name in WITHOUT_TLS else "does not contain ring"
    found = sections(binary)
    if ".symtab" in found or ".debug_info" in found:
        yield "is not stripped"
    unwinding = found.get(".gcc_except_table", 0) / len(binary)
    if unwinding < UNWINDING:
        yield f"does not unwind: only {unwinding:.2%} of it are unwind tables"
    if name not in BUDGETS:
        yield "has no budget in tests/sam/artefacts.py"
    elif size > BUDGETS[name]:
        yield f"is {size} bytes zipped, over its budget of {BUDGETS[name]}"


def tells_why_it_cannot_start(artefact):
    """Whether a function without configuration logs an error that a query finds."""
    done = subprocess.run([artefact], env={}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    try:
        line = json.loads(done.stdout)
    except ValueError:
        return False
    names_variable = line.get("cause", "").startswith("the environment variable ")
    return done.returncode != 0 and line.get("level") == "ERROR" and names_variable


def main(build):
    artefacts = sorted(pathlib.Path(build).glob("*/bootstrap"))
    wrong = [f"{name} was not built" for name in sorted(BUDGETS.keys() - {each.parent.name for each in artefacts})]
    print(f"{'function':<20} {'bytes':>10} {'zipped':>10}")
    for artefact in artefacts:
        name, binary = artefact.parent.name, artefact.read_bytes()
        size = zipped(binary)
        print(f"{name:<20} {len(binary):>10} {size:>10}")
        wrong += [f"{name} {fault}" for fault in faults(name, binary, size)]
        if not tells_why_it_cannot_start(artefact):
            wrong.append(f"{name} logs no error about its missing configuration")
    if wrong:
        sys.exit("\n".join(wrong))
    print("Every function is stripped, unwinds, contains no aws-lc, keeps its budget, and logs missing configuration.")


if __name__ == "__main__":
    main(*sys.argv[1:])
