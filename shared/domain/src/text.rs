//! Shared code of the types that are texts with a rule.

use std::fmt;

/// Why a text is not a value of the type it was meant for.
///
/// A sentence without its subject, fit to be shown beside the name of a field: "must not be
/// empty". It never repeats the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid(pub &'static str);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Invalid {}

/// Implements the conversions of a newtype over `String`. The type itself implements `FromStr`, for
/// input. With `serde(try_from = "String")`, rows are checked in the same way. Names and addresses
/// are `serde(transparent)` instead, so that a row gives back a text that was once accepted.
macro_rules! text_newtype {
    ($type:ident) => {
        impl $type {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::Invalid;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0
            }
        }
    };
}

pub(crate) use text_newtype;

/// Declares an enum whose variants have one name each: in requests, in answers and in the table.
macro_rules! named_enum {
    (
        $(#[$about:meta])*
        pub enum $type:ident {
            $(#[$about_first:meta])* $first:ident = $first_name:literal,
            $($(#[$about_variant:meta])* $variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type {
            $(#[$about_first])* $first,
            $($(#[$about_variant])* $variant,)*
        }

        impl $type {
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$variant,)*];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_name,
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let known = Self::ALL.iter().find(|known| known.as_str() == text);
                known.copied().ok_or($crate::Invalid(concat!(
                    "must be one of ", $first_name, $(", ", $name),*
                )))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use named_enum;
