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

# rewrites what the code determines: openapi.json, tables in the docs, and the bundle
bless: && bundle
    BLESS=1 cargo test --locked --package tests --test it -- up_to_date

# makes the files that the Members page consists of, from its modules: functions/members-page/bundle. Needs Node.js
bundle:
    functions/members-page/bundle.sh

# starts a new operation: docs/adding-an-operation.md
new-operation NAME: && bless
    docs/adding-an-operation/new.py {{ NAME }}
