# `just` lists these. https://just.systems, `cargo install just` or `pip install rust-just`; nothing else needs it.

_list:
    @{{ just_executable() }} --list --unsorted

# what has to pass before a commit: formatting, lints and all Rust tests
check:
    .ci/check

# how many instructions functions take, against tests/bench/ceilings.txt
gate:
    tests/bench/run --gate

# all checks, as CI runs them
ci:
    .ci/run

# writes what follows from the code: openapi.json, and tables of the documents
bless:
    BLESS=1 cargo test --locked --package tests --test it -- up_to_date

# begins an operation, as docs/adding-an-operation.md says
new-operation NAME: && bless
    docs/adding-an-operation/new.py {{ NAME }}
