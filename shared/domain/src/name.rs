//! Names of people and companies, as they may stand in a mail to somebody else.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::text::{Invalid, text_newtype};

/// A first or last name: 1 to 64 characters of letters, marks, spaces, apostrophes, hyphens and
/// full stops, at least one of them a letter.
///
/// An invite puts its sender's words into a stranger's mailbox, so nothing that a mail program
/// would turn into a link is a name: no slash, no colon, no `name.tld`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonName(String);

text_newtype!(PersonName);

impl FromStr for PersonName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = text.trim_matches(' ');
        if !(1..=64).contains(&name.chars().count()) {
            return Err(Invalid("must be 1 to 64 characters long"));
        }
        let is_letter = |c: char| c.general_category_group() == GeneralCategoryGroup::Letter;
        let is_mark = |c: char| c.general_category_group() == GeneralCategoryGroup::Mark;
        let is_sign = |c: char| matches!(c, ' ' | '\'' | '’' | '-' | '‐' | '.');
        if !name
            .chars()
            .all(|c| is_letter(c) || is_mark(c) || is_sign(c))
            || name.starts_with(is_mark)
        {
            return Err(Invalid(
                "may have only letters, spaces, apostrophes, hyphens and full stops",
            ));
        }
        if !name.contains(is_letter) {
            return Err(Invalid("must have at least one letter"));
        }
        if reads_like_a_domain(name) {
            return Err(Invalid(
                "must not be a web address: put a space after a full stop",
            ));
        }
        Ok(Self(name.to_owned()))
    }
}

/// Whether two or more letters follow a full stop at once: `example.com`, but not `J.R.`.
fn reads_like_a_domain(name: &str) -> bool {
    name.split('.').skip(1).any(|after| {
        after
            .chars()
            .take_while(|c| !matches!(c, ' ' | '\'' | '’'))
            .take(2)
            .count()
            == 2
    })
}

/// The name of the company that an account belongs to: 1 to 100 printable characters.
///
/// It may look like a domain, as companies' names do, but never like a whole URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CompanyName(String);

text_newtype!(CompanyName);

impl FromStr for CompanyName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = text.trim_matches(' ');
        if !(1..=100).contains(&name.chars().count()) {
            return Err(Invalid("must be 1 to 100 characters long"));
        }
        // Bidirectional controls and zero-width characters are in the group `Other` (Cf).
        let is_printable = |c: char| match c.general_category_group() {
            GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Mark
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
            | GeneralCategoryGroup::Symbol => true,
            GeneralCategoryGroup::Separator => {
                c.general_category() == GeneralCategory::SpaceSeparator
            }
            GeneralCategoryGroup::Other => false,
        };
        if !name.chars().all(is_printable) {
            return Err(Invalid("must not have control or formatting characters"));
        }
        if name.contains("://") {
            return Err(Invalid("must not be a web address"));
        }
        Ok(Self(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{CompanyName, PersonName};

    #[test]
    fn names_of_people_around_the_world_are_names() {
        for name in [
            "Kim",
            "Anne-Marie",
            "O'Neil",
            "O’Neil",
            "J. R. R.",
            "J.R.",
            "de la Cruz",
            "Ñandú",
            "Łukasz",
            "李",
            "محمد",
            "नरेन्द्र",
            "Jose\u{301}",
            "'t Hooft",
            "Jr.",
            "St. John",
        ] {
            assert_eq!(
                name.parse::<PersonName>().map(String::from),
                Ok(name.to_owned())
            );
        }
        assert_eq!(
            "  Kim ".parse::<PersonName>().map(String::from),
            Ok("Kim".to_owned())
        );
    }

    #[test]
    fn what_could_carry_a_message_is_not_a_name() {
        for name in [
            "",
            " ",
            "-",
            "...",
            "'",
            "\u{301}a",
            "http://example.com",
            "example.com",
            "t.co",
            "Kim example.com",
            "www.example",
            "kim@example",
            "<b>Kim</b>",
            "Kim\r\nBcc: x",
            "Kim\u{202E}",
            "Ki\u{200B}m",
            "Kim1",
            "Kim/",
            "Kim:",
            "Kim;",
            "Kim\u{a0}Lee",
            "😀",
            "Kim\0",
            "{{name}}",
        ] {
            assert!(name.parse::<PersonName>().is_err(), "{name:?}");
        }
        assert!("a".repeat(64).parse::<PersonName>().is_ok());
        assert!("a".repeat(65).parse::<PersonName>().is_err());
    }

    #[test]
    fn companies_may_use_any_printable_character() {
        for name in [
            "Acme Inc.",
            "Booking.example",
            "3M",
            "A/B & C",
            "<Acme>",
            "株式会社",
            "Ünal™",
        ] {
            assert_eq!(
                name.parse::<CompanyName>().map(String::from),
                Ok(name.to_owned())
            );
        }
        for name in [
            "",
            "  ",
            "a\nb",
            "a\u{202E}b",
            "a\u{200B}b",
            "see https://example.com",
        ] {
            assert!(name.parse::<CompanyName>().is_err(), "{name:?}");
        }
        assert!("a".repeat(101).parse::<CompanyName>().is_err());
    }
}
