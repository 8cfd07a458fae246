//! E-mail addresses that Rollcall accepts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::text::{Invalid, text_newtype};

/// An e-mail address in its canonical form.
///
/// It accepts what all mail systems agree on: an ASCII dot-atom of at most 64 characters before the
/// `@` (RFC 5321, 4.5.3.1.1; no quotes, no comments), a domain name with a dot after it (no
/// address literals), at most 254 characters in all (RFC 5321, 4.5.3.1.3, less the angle
/// brackets). The canonical form is lower case, with an internationalised domain in its A-label
/// form (RFC 5891). Plus tags and dots stay: only the mailbox provider knows whether they matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

text_newtype!(EmailAddress);

const NOT_AN_ADDRESS: Invalid = Invalid("must be an e-mail address such as name@example.com");
const TOO_LONG: Invalid = Invalid("must have at most 254 characters, and at most 64 before the @");
const NOT_ASCII: Invalid = Invalid(
    "may have only the letters a to z, digits and ASCII symbols before the @: the mail service cannot send to other addresses",
);
const NO_MAIL: Invalid = Invalid(
    "must have a domain that can receive mail, so not one in .arpa, .invalid, .local, .localhost, .onion or .test",
);
const NOT_A_DOMAIN: Invalid =
    Invalid("must have a domain name with a dot after the @, such as example.com");

impl EmailAddress {
    /// The address with all but its first character and its domain hidden: `k***@example.com`.
    ///
    /// Enough for its owner to recognise it, not enough for anyone else to write to it.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let first: String = local.chars().take(1).collect();
        format!("{first}***@{domain}")
    }
}

impl FromStr for EmailAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (local, domain) = text.rsplit_once('@').ok_or(NOT_AN_ADDRESS)?;
        let local_length = local.len();
        if !is_dot_atom(local) {
            let is_letter = |c: char| c.is_ascii() || c.is_alphabetic();
            let is_foreign = !local.is_ascii() && local.chars().all(is_letter);
            return Err(if is_foreign {
                NOT_ASCII
            } else {
                NOT_AN_ADDRESS
            });
        }
        let domain = canonical_domain(domain)?;
        if local_length > 64 || local_length + 1 + domain.len() > 254 {
            return Err(TOO_LONG);
        }
        Ok(Self(format!("{}@{domain}", local.to_ascii_lowercase())))
    }
}

/// RFC 5322, 3.2.3: runs of `atext` with single dots in between. ASCII only: SES refuses the rest.
fn is_dot_atom(text: &str) -> bool {
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn canonical_domain(domain: &str) -> Result<String, Invalid> {
    let labels = domain
        .split('.')
        .map(canonical_label)
        .collect::<Option<Vec<_>>>()
        .ok_or(NOT_A_DOMAIN)?;
    let top_level_is_a_number = labels
        .last()
        .is_none_or(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let canonical = labels.join(".");
    if labels.len() < 2 || top_level_is_a_number || canonical.len() > 253 {
        return Err(NOT_A_DOMAIN);
    }
    if labels
        .last()
        .is_some_and(|label| WITHOUT_MAIL.contains(&label.as_str()))
    {
        return Err(NO_MAIL);
    }
    Ok(canonical)
}

/// Top-level domains reserved for other uses (RFC 6761, 6762, 7686, 9476). `.example` is not among them,
/// so you can try the addresses in the documentation.
const WITHOUT_MAIL: [&str; 6] = ["arpa", "invalid", "local", "localhost", "onion", "test"];

/// One label, in lower case and ASCII (RFC 1123, 2.1; RFC 5891, 4).
///
/// A label with other characters must become an `xn--` label. If the mapping of UTS 46 turns it into
/// plain ASCII (a Kelvin sign, full-width letters), it imitates another domain and is refused.
fn canonical_label(label: &str) -> Option<String> {
    let lower = label.to_ascii_lowercase();
    let is_ldh = !lower.is_empty()
        && lower.len() <= 63
        && lower
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !lower.starts_with('-')
        && !lower.ends_with('-');
    if lower.is_ascii() && !lower.starts_with("xn--") {
        return is_ldh.then_some(lower);
    }
    let a_label = idna::domain_to_ascii_strict(&lower).ok()?;
    let (u_label, unreadable) = idna::domain_to_unicode(&a_label);
    let is_registrable = unreadable.is_ok() && u_label.chars().all(is_of_idna);
    (is_registrable && a_label.starts_with("xn--") && !a_label.contains('.')).then_some(a_label)
}

/// Whether a domain name can contain a character (RFC 5892): letters, marks and digits, and the few signs
/// that some scripts need. For the sake of old names, UTS 46 also allows symbols.
fn is_of_idna(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::LowercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::DecimalNumber
    ) || matches!(
        c,
        '-' | '·' | '͵' | '׳' | '״' | '・' | '་' | '〇' | '۽' | '۾' | '\u{200C}' | '\u{200D}'
    )
}

#[cfg(test)]
mod tests {
    use super::{EmailAddress, NO_MAIL, NOT_A_DOMAIN, NOT_AN_ADDRESS, NOT_ASCII, TOO_LONG};
    use proptest::prelude::{ProptestConfig, proptest};

    #[test]
    fn accepted_addresses_have_one_canonical_form() {
        for (text, canonical) in [
            ("kim@example.com", "kim@example.com"),
            ("Kim.Smith+Tag@Example.COM", "kim.smith+tag@example.com"),
            ("o'neil@sub.example.co.uk", "o'neil@sub.example.co.uk"),
            (
                "!#$%&'*+-/=?^_`{|}~@example.com",
                "!#$%&'*+-/=?^_`{|}~@example.com",
            ),
            ("kim@BÜCHER.example", "kim@xn--bcher-kva.example"),
            ("kim@xn--bcher-kva.example", "kim@xn--bcher-kva.example"),
            ("kim@straße.example", "kim@xn--strae-oqa.example"),
            ("kim@例え.テスト", "kim@xn--r8jz45g.xn--zckzah"),
            ("kim@3com.com", "kim@3com.com"),
            ("kim@r3---sn.example.com", "kim@r3---sn.example.com"),
            ("1@2.example", "1@2.example"),
        ] {
            assert_eq!(
                text.parse::<EmailAddress>().map(String::from),
                Ok(canonical.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn refused_addresses_say_why() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("kim@{}.com", "a".repeat(64));
        let long_domain = format!("kim@{}com", "abcdefg.".repeat(31));
        let long = format!("{}@{}example.com", "a".repeat(64), "abcdefg.".repeat(23));
        for (text, reason) in [
            ("", NOT_AN_ADDRESS),
            ("kim", NOT_AN_ADDRESS),
            ("@example.com", NOT_AN_ADDRESS),
            ("kim@", NOT_A_DOMAIN),
            ("kim@localhost", NOT_A_DOMAIN),
            ("kim@example..com", NOT_A_DOMAIN),
            ("kim@example.com.", NOT_A_DOMAIN),
            ("kim@.example.com", NOT_A_DOMAIN),
            ("kim@-example.com", NOT_A_DOMAIN),
            ("kim@example-.com", NOT_A_DOMAIN),
            ("kim@exam_ple.com", NOT_A_DOMAIN),
            ("kim@[192.0.2.1]", NOT_A_DOMAIN),
            ("kim@192.0.2.1", NOT_A_DOMAIN),
            ("kim@example.123", NOT_A_DOMAIN),
            ("kim@exa mple.com", NOT_A_DOMAIN),
            ("kim@example.com\r\nBcc: eve@example.com", NOT_AN_ADDRESS),
            ("kim@example.com\r\nBcc: eve", NOT_A_DOMAIN),
            ("kim@example.com,eve@example.com", NOT_AN_ADDRESS),
            ("Kim <kim@example.com>", NOT_AN_ADDRESS),
            ("\"kim\"@example.com", NOT_AN_ADDRESS),
            ("kim(comment)@example.com", NOT_AN_ADDRESS),
            ("kim..smith@example.com", NOT_AN_ADDRESS),
            (".kim@example.com", NOT_AN_ADDRESS),
            ("kim.@example.com", NOT_AN_ADDRESS),
            (" kim@example.com", NOT_AN_ADDRESS),
            ("kim@example.com ", NOT_A_DOMAIN),
            ("kim@eve@example.com", NOT_AN_ADDRESS),
            ("\u{212A}im@example.com", NOT_ASCII),
            ("kïm@example.com", NOT_ASCII),
            ("金@example.com", NOT_ASCII),
            ("kim@printer.local", NO_MAIL),
            ("kim@mail.TEST", NO_MAIL),
            ("kim@1.0.0.127.in-addr.arpa", NO_MAIL),
            ("kim@email€a.com", NOT_A_DOMAIN),
            ("kim@I♥NY.com", NOT_A_DOMAIN),
            ("kim@xn--i-7iq.ws", NOT_A_DOMAIN),
            ("kim@\u{212A}elvin.example", NOT_A_DOMAIN),
            ("kim@ｅxample.com", NOT_A_DOMAIN),
            ("kim@example。com", NOT_A_DOMAIN),
            ("kim@exam\u{200B}ple.com", NOT_A_DOMAIN),
            ("kim@xn--a.example", NOT_A_DOMAIN),
            ("kim\0@example.com", NOT_AN_ADDRESS),
            (&long_local, TOO_LONG),
            (&long_label, NOT_A_DOMAIN),
            (&long_domain, TOO_LONG),
            (&long, TOO_LONG),
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn masking_keeps_the_first_character_and_the_domain() {
        let address: EmailAddress = "kim.smith@example.com".parse().unwrap();
        assert_eq!(address.masked(), "k***@example.com");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_accepted_is_canonical_ascii(text in "[a-zA-Z.+@üK\u{212A}-]{1,12}@[a-zA-Z.ßü\u{212A}-]{1,20}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                assert!(address.as_str().is_ascii());
                assert_eq!(address.as_str().to_ascii_lowercase(), address.as_str());
                assert_eq!(address.as_str().parse(), Ok(address.clone()));
            }
        }
    }
}
