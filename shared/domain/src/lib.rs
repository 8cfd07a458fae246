//! The rules and types of Rollcall.
//!
//! Nothing here can wait, call out, read a clock or draw a random number: time and secrets are
//! arguments, and the manifest has no crate that could do otherwise. Each operation of the API has
//! one pure function here that decides: the rows that were read go in, a change or a [`Refusal`] comes out.

mod reason;
mod text;

pub mod ability;
pub mod access;
pub mod account;
pub mod address;
pub mod bounce;
pub mod change;
pub mod close_account;
pub mod delivery;
pub mod feedback;
pub mod handover;
pub mod id;
pub mod identity;
pub mod invite;
pub mod lift;
pub mod limits;
pub mod login;
pub mod member;
pub mod misspelling;
pub mod name;
pub mod provision;
pub mod refusal;
pub mod remove;
pub mod request;
pub mod resend;
pub mod sending;
pub mod support;
pub mod token;
pub mod update_details;

pub use jiff::Timestamp;
pub use refusal::Refusal;
pub use text::Invalid;
