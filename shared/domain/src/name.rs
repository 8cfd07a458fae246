//! Names of people and companies that may appear in an e-mail to another person.
//!
//! An invite puts its sender's words into a stranger's mailbox, so names must not contain anything that a
//! mail program would turn into a link, or anything invisible. Any other name of a person is accepted.

use std::net::Ipv4Addr;
use std::str::FromStr;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use serde::{Deserialize, Serialize};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::text::{Invalid, text_newtype};

/// A first or last name: 1 to 64 letters and marks, the signs that names have between them, and up to
/// three digits ("John 3rd"). In the normal form NFC, with single spaces.
///
/// The rules apply only to new names: names that are already in a row are read as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonName(String);

text_newtype!(PersonName);

impl FromStr for PersonName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = tidy(text);
        if !(1..=64).contains(&name.chars().count()) {
            return Err(Invalid("must be 1 to 64 characters long"));
        }
        let is_sign = |c: char| PERSON_SIGNS.contains(c);
        if !name.chars().all(|c| {
            is_letter(c) || is_mark(c) || is_sign(c) || is_digit(c) || JOINERS.contains(&c)
        }) || name.starts_with(is_mark)
            || !slashes_abbreviate(&name)
            || name
                .split(',')
                .skip(1)
                .any(|after| !after.is_empty() && !after.starts_with(' '))
        {
            return Err(Invalid(
                "may have only letters, spaces, apostrophes, hyphens, commas and full stops",
            ));
        }
        if !name.contains(is_letter) {
            return Err(Invalid("must have at least one letter"));
        }
        if name.chars().filter(|c| is_digit(*c)).count() > 3 || !digits_begin_words(&name) {
            return Err(Invalid(
                "must not have more than three digits, or digits right after letters",
            ));
        }
        reads_well(&name)?;
        if has_domain(&name) {
            return Err(Invalid(
                "must not look like a web address: put a space after each full stop",
            ));
        }
        Ok(Self(name))
    }
}

/// The name of the company that an account belongs to: 1 to 100 printable characters, at least one of
/// them a letter or a digit, and no links. In the normal form NFC, with single spaces.
///
/// As with [`PersonName`], the rules apply only to new names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompanyName(String);

text_newtype!(CompanyName);

impl FromStr for CompanyName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (name, has_domain) = printable_company(text)?;
        if has_domain {
            return Err(NO_LINK);
        }
        Ok(Self(name))
    }
}

const NO_LINK: Invalid = Invalid("must not contain a web address or an e-mail address");

impl CompanyName {
    /// The name as billing sends it. It may also be just a domain, because some companies are called
    /// that, and billing knows its customers.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub fn told_by_billing(text: &str) -> Result<Self, Invalid> {
        let (name, has_domain) = printable_company(text)?;
        let is_bare = !name.to_lowercase().starts_with("www.")
            && name
                .chars()
                .all(|c| is_letter(c) || is_mark(c) || is_digit(c) || matches!(c, '.' | '-'));
        if has_domain && !is_bare {
            return Err(NO_LINK);
        }
        Ok(Self(name))
    }
}

/// A company's name in its canonical form, and whether it contains a domain, which only billing may send.
fn printable_company(text: &str) -> Result<(String, bool), Invalid> {
    let name = tidy(text);
    if !(1..=100).contains(&name.chars().count()) {
        return Err(Invalid("must be 1 to 100 characters long"));
    }
    // Bidirectional controls and zero-width characters are in the group `Other` (Cf).
    let is_printable = |c: char| match c.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Mark
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => !BLANKS.contains(&c),
        GeneralCategoryGroup::Separator => c == ' ',
        GeneralCategoryGroup::Other => JOINERS.contains(&c),
    };
    if !name.chars().all(is_printable) {
        return Err(Invalid("must not contain control or formatting characters"));
    }
    let is_number = |c: char| c.general_category_group() == GeneralCategoryGroup::Number;
    if !name.contains(|c| is_letter(c) || is_number(c)) {
        return Err(Invalid("must have at least one letter or digit"));
    }
    reads_well(&name)?;
    let read = as_read(&name);
    if has_scheme(&read) || has_address(&read) || has_ip_address(&read) {
        return Err(NO_LINK);
    }
    let has_domain = has_domain(&read);
    Ok((name, has_domain))
}

/// A name for use in a text, where programs turn anything like a link into one. It has an invisible
/// character (U+2060) after each full stop within a word and after each colon before slashes. Only
/// company names that are domains need this, and names that are older than the rules.
#[must_use]
pub fn unlinked(name: &str) -> String {
    let mut unlinked = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(c) = characters.next() {
        unlinked.push(c);
        let next = characters.peek().copied().unwrap_or(' ');
        let links = match c {
            '.' | '@' => !next.is_whitespace(),
            ':' | '/' => next == '/',
            _ => false,
        };
        if links {
            unlinked.push('\u{2060}');
        }
    }
    unlinked
}

/// The signs between letters of names: apostrophes, hyphens, middle dots, the Hebrew maqaf, geresh and
/// gershayim, the Armenian apostrophe, the Tibetan tsheg and shad, the abbreviation sign of Devanagari.
const PERSON_SIGNS: &str = " '’‘´-‐‑–־׳״·・･‧゠＝.,/՚་༌།॰";

/// Zero width non-joiner and joiner, which names in Persian, Urdu and the scripts of India need, and the
/// Mongolian vowel separator.
const JOINERS: [char; 3] = ['\u{200C}', '\u{200D}', '\u{180E}'];

/// Letters, marks and symbols that are invisible.
const BLANKS: [char; 8] = [
    '\u{34F}', '\u{115F}', '\u{1160}', '\u{17B4}', '\u{17B5}', '\u{2800}', '\u{3164}', '\u{FFA0}',
];

/// The most marks that a letter has in any language.
const MOST_MARKS: usize = 4;

fn is_letter(c: char) -> bool {
    let is_letter = c.general_category_group() == GeneralCategoryGroup::Letter
        || c.general_category() == GeneralCategory::LetterNumber;
    is_letter && !BLANKS.contains(&c)
}

fn is_mark(c: char) -> bool {
    let is_mark = matches!(
        c.general_category(),
        GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark
    );
    is_mark && !BLANKS.contains(&c)
}

fn is_digit(c: char) -> bool {
    c.general_category() == GeneralCategory::DecimalNumber
}

/// The normal form NFC, trimmed, with one plain space for each run of spaces.
fn tidy(text: &str) -> String {
    let is_space = |c: char| c.general_category() == GeneralCategory::SpaceSeparator;
    let words = text.split(is_space).filter(|word| !word.is_empty());
    let folded = words.collect::<Vec<_>>().join(" ");
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(&folded)
        .into_owned()
}

/// A name with plain characters in place of those that only look different, which is how programs read
/// addresses: full-width letters, and the full stops of other scripts.
fn as_read(name: &str) -> String {
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(name);
    plain.replace('。', ".")
}

/// Whether no letter has too many marks, joiners join, and no word mixes alphabets that look alike.
fn reads_well(name: &str) -> Result<(), Invalid> {
    if name.split(' ').any(mixes_alphabets) {
        return Err(Invalid("must not mix alphabets within a word"));
    }
    let mut marks = 0;
    let mut before = ' ';
    for c in DecomposingNormalizerBorrowed::new_nfd().normalize_iter(name.chars()) {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        // A joiner stands within a word of a script that has letters to join.
        let joins = is_mark(before) || (is_letter(before) && before > '\u{24F}');
        if marks > MOST_MARKS || (JOINERS.contains(&c) && !joins) {
            return Err(Invalid(
                "must not contain stacked accents or invisible characters",
            ));
        }
        before = c;
    }
    Ok(())
}

/// Latin with Cyrillic or Greek: an imitation of another word, and never a name.
fn mixes_alphabets(word: &str) -> bool {
    let has = |is_of: fn(char) -> bool| word.chars().any(|c| is_letter(c) && is_of(c));
    let latin = has(|c| matches!(c, 'A'..='z' | 'À'..='ɏ' | 'Ḁ'..='ỿ'));
    let cyrillic = has(|c| matches!(c, '\u{400}'..='\u{52F}'));
    let greek = has(|c| matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}'));
    (latin && (cyrillic || greek)) || (cyrillic && greek)
}

/// Whether digits begin a word: "3rd", "A-12".
fn digits_begin_words(name: &str) -> bool {
    let mut before = ' ';
    name.chars().all(|c| {
        let follows = std::mem::replace(&mut before, c);
        !is_digit(c) || is_digit(follows) || matches!(follows, ' ' | '-' | '‐' | '‑' | '.')
    })
}

/// Whether every slash is between two single letters: "a/l", "s/o", "d/o".
fn slashes_abbreviate(name: &str) -> bool {
    name.split(' ')
        .filter(|word| word.contains('/'))
        .all(|word| {
            let characters: Vec<char> = word.chars().collect();
            matches!(characters[..], [a, '/', b] if is_letter(a) && is_letter(b))
        })
}

/// Legal forms that are also top-level domains, and what they follow: "Co.Ltd".
const LEGAL_FORMS: [&str; 7] = ["ltd", "inc", "llc", "llp", "gmbh", "sarl", "srl"];
const BEFORE_LEGAL_FORMS: [&str; 6] = ["co", "pty", "pvt", "pte", "corp", "sdn"];

/// Whether mail programs would turn a part of it into a link: a top-level domain after a full stop.
///
/// After a single letter it may be a surname ("J.Kim"), except for top-level domains with short names.
fn has_domain(name: &str) -> bool {
    let is_part = |c: &char| is_letter(*c) || is_mark(*c) || is_digit(*c);
    name.match_indices('.').any(|(dot, _)| {
        let (Some(head), Some(tail)) = (name.get(..dot), name.get(dot + 1..)) else {
            return false;
        };
        let before: String = head.chars().rev().take_while(is_part).collect();
        let before: String = before.chars().rev().collect();
        let with_hyphens = |c: &char| is_part(c) || *c == '-';
        let after: String = tail.chars().take_while(with_hyphens).collect();
        if before.eq_ignore_ascii_case("www") && !after.is_empty() {
            return true;
        }
        // A top-level domain has hyphens only if it encodes another script in ASCII.
        let word = after.split('-').next().unwrap_or_default();
        [after.as_str(), word]
            .into_iter()
            .any(|after| is_top_level(after) && !is_abbreviation(&before, after))
            && !before.is_empty()
    })
}

/// Top-level domains reserved for documentation and for use outside the Internet (RFC 2606, 6761).
/// Programs turn them into links, too.
const RESERVED: [&str; 6] = ["example", "invalid", "local", "localhost", "onion", "test"];

fn is_top_level(label: &str) -> bool {
    idna::domain_to_ascii(label)
        .is_ok_and(|label| tld::exist(&label) || RESERVED.contains(&label.as_str()))
}

/// Whether a full stop separates parts of a name or of a legal form, although the second part is also a
/// top-level domain: "J.Kim", "M.Si", "Co.Ltd".
fn is_abbreviation(before: &str, after: &str) -> bool {
    let is_capital = |text: &str| text.starts_with(char::is_uppercase);
    let (lower, after_lower) = (before.to_lowercase(), after.to_lowercase());
    let is_common = ["com", "net", "org"].contains(&after_lower.as_str())
        || RESERVED.contains(&after_lower.as_str());
    let is_initial = before.chars().count() == 1
        && !is_common
        && (after.len() > 2 || (is_capital(before) && is_capital(after)));
    is_initial
        || LEGAL_FORMS.contains(&after_lower.as_str())
            && BEFORE_LEGAL_FORMS.contains(&lower.as_str())
}

/// Schemes that programs turn into links, or that would be worse.
const SCHEMES: [&str; 13] = [
    "http",
    "https",
    "hxxp",
    "hxxps",
    "ftp",
    "mailto",
    "javascript",
    "vbscript",
    "data",
    "tel",
    "sms",
    "file",
    "whatsapp",
];

fn has_scheme(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.contains("//")
        || lower.match_indices(':').any(|(colon, _)| {
            let before = lower.get(..colon).unwrap_or_default();
            let word = before.rsplit(|c: char| !c.is_alphanumeric()).next();
            word.is_some_and(|word| SCHEMES.contains(&word))
        })
}

/// Whether something stands on both sides of an `@`.
fn has_address(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric();
    name.match_indices('@').any(|(at, _)| {
        let (before, after) = (name.get(..at), name.get(at + 1..));
        before.is_some_and(|before| before.ends_with(is_part))
            && after.is_some_and(|after| after.starts_with(is_part))
    })
}

fn has_ip_address(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_digit() && c != '.')
        .any(|word| word.trim_matches('.').parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{CompanyName, PersonName, unlinked};

    const NAMES: &str = include_str!("../../../tests/corpus/names.tsv");
    const NAME_LURES: &str = include_str!("../../../tests/corpus/name_lures.txt");
    const COMPANIES: &str = include_str!("../../../tests/corpus/companies.tsv");
    const COMPANY_LURES: &str = include_str!("../../../tests/corpus/company_lures.txt");

    /// A line of a corpus, in which invisible characters are written as `\u0000` or `\U00000000`.
    fn unescaped(line: &str) -> String {
        let mut text = String::new();
        let mut rest = line;
        while let Some((before, escape)) = rest.split_once('\\') {
            text.push_str(before);
            let digits = if escape.starts_with('U') { 8 } else { 4 };
            let (code, after) = escape.split_at(digits + 1);
            let code = u32::from_str_radix(code.trim_start_matches(['u', 'U']), 16).unwrap();
            text.push(char::from_u32(code).unwrap());
            rest = after;
        }
        text + rest
    }

    fn fails(lines: usize, failed: &[String]) {
        println!("{} of {lines} right", lines - failed.len());
        assert!(
            failed.is_empty(),
            "{} of {lines}: {failed:#?}",
            failed.len()
        );
    }

    #[test]
    fn what_people_are_called_is_a_name() {
        let names: Vec<_> = NAMES.lines().skip(1).collect();
        assert!(names.len() >= 500);
        let refused = names.iter().filter_map(|row| {
            let (_, name) = row.split_once('\t').unwrap();
            let error = unescaped(name).parse::<PersonName>().err()?;
            Some(format!("{name}: {error}"))
        });
        fails(names.len(), &refused.collect::<Vec<_>>());
    }

    #[test]
    fn a_lure_is_not_a_name() {
        let lures: Vec<_> = NAME_LURES.lines().collect();
        assert!(lures.len() >= 500);
        let accepted = lures
            .iter()
            .filter(|lure| unescaped(lure).parse::<PersonName>().is_ok());
        fails(
            lures.len(),
            &accepted.map(|lure| (*lure).to_owned()).collect::<Vec<_>>(),
        );
    }

    #[test]
    fn what_companies_are_called_is_a_name_and_a_domain_only_if_billing_says_so() {
        let companies: Vec<_> = COMPANIES.lines().skip(1).collect();
        assert!(companies.len() >= 200);
        let wrong = companies.iter().filter_map(|row| {
            let (who, name) = row.split_once('\t').unwrap();
            let name = unescaped(name);
            let owner = name.parse::<CompanyName>().is_ok();
            let billing = CompanyName::told_by_billing(&name).is_ok();
            ((who == "owner", true) != (owner, billing)).then(|| (*row).to_owned())
        });
        fails(companies.len(), &wrong.collect::<Vec<_>>());
    }

    #[test]
    fn a_lure_is_no_company_whoever_says_it() {
        let lures: Vec<_> = COMPANY_LURES.lines().collect();
        assert!(lures.len() >= 200);
        let accepted = lures.iter().filter(|lure| {
            let lure = unescaped(lure);
            lure.parse::<CompanyName>().is_ok() || CompanyName::told_by_billing(&lure).is_ok()
        });
        fails(
            lures.len(),
            &accepted.map(|lure| (*lure).to_owned()).collect::<Vec<_>>(),
        );
    }

    #[test]
    fn names_have_one_form() {
        for (text, name) in [
            ("  Kim ", "Kim"),
            ("Kim\u{a0} \u{3000}Lee", "Kim Lee"),
            ("Jose\u{301}", "José"),
        ] {
            assert_eq!(
                text.parse::<PersonName>().map(String::from),
                Ok(name.to_owned())
            );
            assert_eq!(
                text.parse::<CompanyName>().map(String::from),
                Ok(name.to_owned())
            );
        }
        assert!("a".repeat(64).parse::<PersonName>().is_ok());
        assert!("a".repeat(65).parse::<PersonName>().is_err());
        assert!("a".repeat(100).parse::<CompanyName>().is_ok());
        assert!("a".repeat(101).parse::<CompanyName>().is_err());
    }

    #[test]
    fn a_row_gives_back_what_was_accepted_once() {
        for text in ["evil.com", "https://evil.com", "Kim\u{200B}", "", "1234567"] {
            let stored = serde_json::to_string(text).unwrap();
            let person: PersonName = serde_json::from_str(&stored).unwrap();
            let company: CompanyName = serde_json::from_str(&stored).unwrap();
            assert_eq!((person.as_str(), company.as_str()), (text, text));
            assert!(text.parse::<PersonName>().is_err());
        }
    }

    #[test]
    fn what_looks_like_a_link_is_shown_as_none() {
        for (name, shown) in [
            ("Acme", "Acme"),
            ("St. John, Jr.", "St. John, Jr."),
            ("Booking.com", "Booking.\u{2060}com"),
            ("https://a.b", "https:\u{2060}/\u{2060}/a.\u{2060}b"),
        ] {
            assert_eq!(unlinked(name), shown);
        }
    }
}
