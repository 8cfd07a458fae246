#!/usr/bin/env python3
"""Looks into what `sam build` made: what each function is built from, how large it is, and whether it says
why it cannot start.

    tests/sam/artefacts.py BUILD     BUILD is .aws-sam/build

A cold start is short because of what a binary does not contain (docs/decisions/0004-cold-start.md), and a panic
fails one invocation because of how it was compiled (docs/decisions/0005-panics-unwind.md). Cargo.toml asks for both, but
other tools have a say in what is deployed. So this looks at that.
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
    "Invite": 2_780_000,
    "LiftSuppression": 2_730_000,
    "List": 2_610_000,
    "MailFeedback": 2_530_000,
    "MembersPage": 1_200_000,
    "ProvisionAccount": 2_400_000,
    "PublishChanges": 2_400_000,
    "Remove": 2_640_000,
    "Resend": 2_780_000,
    "SupportFeedback": 2_720_000,
    "UpdateDetails": 2_660_000,
}

# Functions that make no requests to AWS, and need no TLS.
WITHOUT_TLS = {"MembersPage"}

# Traces of aws-lc in a stripped binary: paths of its sources, and the prefix of its C functions in
# assertion messages. Its jitter entropy collector leaves none.
AWS_LC = [b"aws-lc", b"aws_lc_", b"AWS-LC"]

# The same for ring.
RING = b"/ring-0."

# The minimum share of unwind tables in a binary. They are over 2% of every function, but 0.2% with
# `panic = "abort"`, when only the precompiled standard library has any.
UNWINDING = 0.01


def sections(binary):
    """The names and sizes of an ELF file's sections, 64 bits, little-endian."""
    if binary[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit ELF file")
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
    """The faults of a function."""
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
        yield f"does not unwind: {unwinding:.2%} of it are tables for that"
    if name not in BUDGETS:
        yield "has no budget in tests/sam/artefacts.py"
    elif size > BUDGETS[name]:
        yield f"is {size} bytes zipped, and may be {BUDGETS[name]}"


def tells_why_it_cannot_start(artefact):
    """Whether a function without configuration logs that as an error that a query finds."""
    done = subprocess.run([artefact], env={}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    try:
        line = json.loads(done.stdout)
    except ValueError:
        return False
    names_variable = line.get("cause", "").startswith("the environment variable ")
    return done.returncode != 0 and line.get("level") == "ERROR" and names_variable


def main(build):
    artefacts = sorted(pathlib.Path(build).glob("*/bootstrap"))
    missing = BUDGETS.keys() - {artefact.parent.name for artefact in artefacts}
    wrong = [f"{name} was not built" for name in sorted(missing)]
    print(f"{'function':<20} {'bytes':>10} {'zipped':>10}")
    for artefact in artefacts:
        name, binary = artefact.parent.name, artefact.read_bytes()
        size = zipped(binary)
        print(f"{name:<20} {len(binary):>10} {size:>10}")
        wrong += [f"{name} {fault}" for fault in faults(name, binary, size)]
        if not tells_why_it_cannot_start(artefact):
            wrong.append(f"{name} does not log as an error that its configuration is missing")
    if wrong:
        sys.exit("\n".join(wrong))
    print("Every function is what it should be: ring, no aws-lc, stripped, unwinding, within its budget, and it says what it lacks.")


if __name__ == "__main__":
    main(*sys.argv[1:])
