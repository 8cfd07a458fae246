//! Tests through the front door: HTTP or an event in; answer, mail and rows out.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails, in what it shares with others too"
)]

mod harness;

mod abilities;
mod authorize_login;
mod authorize_request;
mod bad_input;
mod bounces;
mod calls;
mod canaries;
mod close_account;
mod collisions;
mod dependencies;
mod deployment;
mod docs;
mod email_proof;
mod events;
mod faults;
mod fuzzed;
mod handover;
mod hostile;
mod idempotency;
mod identities;
mod integrating;
mod invite;
mod lift_suppression;
mod linearizability;
mod list;
mod local_stack;
mod logs;
mod mail;
mod mail_feedback;
mod members_page;
mod metrics;
mod openapi;
mod outages;
mod permissions;
mod provision_account;
mod publish_changes;
mod races;
mod remove;
mod resend;
mod restore;
mod scale;
mod security;
mod sequences;
mod stored_values;
mod story;
mod support_feedback;
mod template;
mod token_vectors;
mod update_details;
