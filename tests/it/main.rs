//! Tests through the front door: HTTP or an event in; answer, mail and rows out.

mod harness;

mod abilities;
mod authorize_request;
mod close_account;
mod integrating;
mod openapi;
mod publish_changes;
mod story;
mod update_details;
