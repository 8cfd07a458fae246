//! The kinds of problems.

use http::StatusCode;

/// One line for each kind of problem: when it happens, its code, its status, its title.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $variant:ident $code:literal $status:ident $title:literal)+) => {
        /// What kind of problem it is: stable, for programs to act on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl Code {
            /// All codes, by status.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code as it stands in an answer.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)+ }
            }

            /// The HTTP status (RFC 9110, 15).
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status,)+ }
            }

            /// A few words, the same for every problem of this kind.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)+ }
            }

            /// When it happens: what `docs/problems.md` says.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($meaning),+),)+ }
            }
        }
    };
}

codes! {
    /// A field, a parameter, a header or the body is invalid; `errors` says what is wrong with each.
    InvalidRequest "invalid_request" BAD_REQUEST "Invalid request"
    /// The request has no valid ID token.
    Unauthenticated "unauthenticated" UNAUTHORIZED "Not signed in"
    /// The ID token does not confirm that the e-mail address is verified.
    EmailUnverified "email_unverified" FORBIDDEN "E-mail address not verified"
    /// The caller is not in this account, or there is no such account.
    NoAccess "no_access" FORBIDDEN "No access"
    /// Only the product's support staff may do this.
    SupportOnly "support_only" FORBIDDEN "Support staff only"
    /// Only the owner of the account may do this.
    OwnerOnly "owner_only" FORBIDDEN "Account owner only"
    /// The account's plan is not pro-level.
    UpgradeRequired "upgrade_required" FORBIDDEN "Upgrade required"
    /// The caller was removed from the account.
    AccessRevoked "access_revoked" FORBIDDEN "Access revoked"
    /// The caller is invited and must use the link in the invite for the first login.
    InviteLinkRequired "invite_link_required" FORBIDDEN "Use the link in your invite"
    /// The invite is for a different address than the caller's.
    WrongAccount "wrong_account" FORBIDDEN "Signed in with a different address"
    /// This address belongs to a different user of the identity provider than at the first login.
    IdentityMismatch "identity_mismatch" FORBIDDEN "Different identity"
    /// The account is closed.
    AccountClosed "account_closed" FORBIDDEN "Account closed"
    /// The account has no person with this id.
    MemberNotFound "member_not_found" NOT_FOUND "Member not found"
    /// The API has no such resource.
    NotFound "not_found" NOT_FOUND "Not found"
    /// The invited address already belongs to a member of the account.
    AlreadyMember "already_member" CONFLICT "Already a member"
    /// The address is already invited; resend sends the invite again.
    AlreadyInvited "already_invited" CONFLICT "Already invited"
    /// Someone who was invited with this address is in the account with a different one now.
    AddressInUse "address_in_use" CONFLICT "Address in use"
    /// The person has no open invite to resend.
    NotInvited "not_invited" CONFLICT "No open invite"
    /// The newest e-mail to the address bounced permanently or led to a complaint; support can lift the block.
    AddressUndeliverable "address_undeliverable" CONFLICT "Address undeliverable"
    /// The owner cannot be removed from the account.
    OwnerCannotBeRemoved "owner_cannot_be_removed" CONFLICT "The owner cannot be removed"
    /// The caller belongs to several accounts and the login named none; `accounts` lists them.
    ChooseAccount "choose_account" CONFLICT "Choose an account"
    /// The link in the invite has expired.
    InviteExpired "invite_expired" GONE "Invite expired"
    /// The link is not from the newest e-mail.
    InviteSuperseded "invite_superseded" GONE "A newer invite was sent"
    /// The token does not belong to an invite for the caller.
    InviteInvalid "invite_invalid" GONE "Invalid invite"
    /// The body is larger than 16 KB.
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "Body too large"
    /// The idempotency key was used for a different request in the last 24 hours.
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "Idempotency key reused"
    /// The invite was sent a moment ago; `Retry-After` says when it can be resent.
    ResendTooSoon "resend_too_soon" TOO_MANY_REQUESTS "Too soon to resend"
    /// A limit on e-mails is reached; `Retry-After` says when the next one can be sent.
    SendLimitReached "send_limit_reached" TOO_MANY_REQUESTS "Send limit reached"
    /// A fault in this service. The log has the cause under the request id.
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error"
    /// A service that this one depends on did not answer in time; nothing is left half done.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Temporarily unavailable"
}
