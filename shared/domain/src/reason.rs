//! Reasons that the product gives people: enums whose variants have one sentence each.

/// Declares a reason: its variants, each with the sentence that says what happened.
macro_rules! reasons {
    (
        $(#[$about:meta])*
        pub enum $type:ident {
            $($(#[$about_variant:meta])* $variant:ident = $reason:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "camelCase")]
        pub enum $type {
            $(
                #[doc = $reason]
                #[doc = ""]
                $(#[$about_variant])*
                $variant,
            )+
        }

        impl $type {
            pub const ALL: [Self; [$($reason),+].len()] = [$(Self::$variant),+];

            /// What happened, in a sentence for the owner of an account.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self {
                    $(Self::$variant => $reason,)+
                }
            }
        }
    };
}

pub(crate) use reasons;
