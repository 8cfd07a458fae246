//! The tests of Rollcall through its front door are in `it/`; this library holds nothing.
