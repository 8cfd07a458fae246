# `just` lists the recipes. To install it: `cargo install just` or `pip install rust-just`. Nothing else needs it.

_list:
    @{{ just_executable() }} --list --unsorted

# the checks to pass before a commit: formatting, lints, Rust tests
check:
    .ci/check

# checks that functions stay below the instruction counts in tests/bench/ceilings.txt
gate:
    tests/bench/run --gate

# all checks, as CI runs them
ci:
    .ci/run

# rewrites what the code determines: openapi.json and tables in the docs
bless:
    BLESS=1 cargo test --locked --package tests --test it -- up_to_date

# starts a new operation: docs/adding-an-operation.md
new-operation NAME: && bless
    docs/adding-an-operation/new.py {{ NAME }}
