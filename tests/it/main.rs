//! Tests through the front door: HTTP or an event in; answer, mail and rows out.

mod harness;

mod docs;
mod events;
mod story;
