//! Domains of large mail providers, and addresses that probably misspell them.

use crate::address::EmailAddress;

/// Domains where many people have an address. An address at one of them is never a misspelling.
pub const PROVIDERS: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "bluewin.ch",
    "btinternet.com",
    "cloud.com",
    "comcast.net",
    "email.com",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.be",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "icloud.com",
    "interia.pl",
    "laposte.net",
    "libero.it",
    "live.com",
    "live.de",
    "live.fr",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "naver.com",
    "onet.pl",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
    "outlook.it",
    "posteo.de",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "rocketmail.com",
    "seznam.cz",
    "sfr.fr",
    "t-online.de",
    "tutanota.com",
    "uol.com.br",
    "verizon.net",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "yahoo.ca",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.br",
    "yahoo.com.mx",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Shorter names of providers are too similar to correctly spelt domains.
const SHORTEST_NAME: usize = 5;

/// The address that was probably meant: at a large provider whose domain is one typo away, such as an
/// extra letter, a missing one, or two in the wrong order.
///
/// It is only a hint, because the domain may exist.
#[must_use]
pub fn did_you_mean(address: &EmailAddress) -> Option<String> {
    let (local, domain) = address.as_str().split_once('@')?;
    if PROVIDERS.contains(&domain) {
        return None;
    }
    let provider = PROVIDERS
        .iter()
        .filter(|provider| name(provider).len() >= SHORTEST_NAME && can_be_close(domain, provider))
        .find(|provider| strsim::osa_distance(domain, provider) == 1)?;
    Some(format!("{local}@{provider}"))
}

/// One typo leaves the first letter in place, or all but the first two. This cheap check settles most
/// invites: computing the distance costs as much as the rest of the decision.
fn can_be_close(domain: &str, provider: &str) -> bool {
    let first = |text: &str| text.bytes().next();
    let is_end_kept = || provider.get(2..).is_some_and(|end| domain.ends_with(end));
    domain.len().abs_diff(provider.len()) <= 1
        && (first(domain) == first(provider) || is_end_kept())
}

fn name(domain: &str) -> &str {
    domain.split_once('.').map_or(domain, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::{PROVIDERS, did_you_mean};

    #[test]
    fn a_typo_is_noticed_and_everything_else_left_alone() {
        for (domain, meant) in [
            ("gmial.com", Some("gmail.com")),
            ("gmai.com", Some("gmail.com")),
            ("gmaill.com", Some("gmail.com")),
            ("gmail.con", Some("gmail.com")),
            ("gnail.com", Some("gmail.com")),
            ("mgail.com", Some("gmail.com")),
            ("ggmail.com", Some("gmail.com")),
            ("otmail.com", Some("hotmail.com")),
            ("hotmial.com", Some("hotmail.com")),
            ("outlok.com", Some("outlook.com")),
            ("yaho.com", Some("yahoo.com")),
            ("iclould.com", Some("icloud.com")),
            ("googlemial.com", Some("googlemail.com")),
            ("t-onlin.de", Some("t-online.de")),
            ("mail.com", None),
            ("line.com", None),
            ("example.com", None),
            ("gmx.fr", None),
        ] {
            let address = format!("kim.lee+x@{domain}").parse().unwrap();
            let meant = meant.map(|meant| format!("kim.lee+x@{meant}"));
            assert_eq!(did_you_mean(&address), meant, "{domain}");
        }
        for provider in PROVIDERS {
            let address = format!("kim@{provider}").parse().unwrap();
            assert_eq!(did_you_mean(&address), None, "{provider}");
        }
        assert!(PROVIDERS.is_sorted());
    }
}
