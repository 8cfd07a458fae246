//! What the product's identity provider says about people, and what of it counts.

use std::convert::Infallible;
use std::str::FromStr;

use domain::access::{Address, Caller};
use domain::identity::Identity;

use crate::config::{ConfigError, Environment};
use crate::problem::Problem;

/// How this deployment reads the claims of a verified token.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The claim that says which of the issuer's people it is.
    identity_claim: String,
    email_proof: EmailProof,
}

/// What proves that a person has the address in the claim `email`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EmailProof {
    /// The identity provider, by a claim that is true.
    Claim(String),
    /// The link of an invite, at the first login. For later logins, nothing does.
    Link,
}

impl FromStr for EmailProof {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "link" => Self::Link,
            claim => Self::Claim(claim.to_owned()),
        })
    }
}

/// The claims by which providers say whether an address is verified: OpenID Connect Core, 5.1, and
/// [Microsoft Entra ID](https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference).
/// Nothing overrides a no.
const VERIFICATION_CLAIMS: [&str; 2] = ["email_verified", "xms_edov"];

impl SignIn {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing.
    pub fn new(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            identity_claim: environment.required("IDENTITY_CLAIM")?,
            email_proof: environment.required("EMAIL_PROOF")?,
        })
    }

    /// The caller that the claims of a verified token describe, each as a text, and the row that the
    /// client takes for the caller's. A row that is not an id is ignored.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the claims do not say who it is.
    pub fn caller<'a>(
        &self,
        claim: impl Fn(&str) -> Option<&'a str>,
        hint: Option<&str>,
    ) -> Result<Caller, Problem> {
        let claim = |name: &str| claim(name).filter(|text| !text.is_empty());
        let (Some(issuer), Some(subject)) = (claim("iss"), claim(&self.identity_claim)) else {
            return Err(Problem::unauthenticated());
        };
        Ok(Caller {
            address: self.address(claim),
            hint: hint.and_then(|hint| hint.parse().ok()),
            identity: Identity {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            },
        })
    }

    fn address<'a>(&self, claim: impl Fn(&str) -> Option<&'a str>) -> Address {
        let is_denied = |name| claim(name).is_some_and(|verified| !is_yes(name, verified));
        if VERIFICATION_CLAIMS.into_iter().any(is_denied) {
            return Address::Unproven;
        }
        let proven: fn(_) -> _ = match &self.email_proof {
            EmailProof::Link => Address::Claimed,
            EmailProof::Claim(name) if claim(name).is_some_and(|proof| is_yes(name, proof)) => {
                Address::Proven
            }
            EmailProof::Claim(_) => return Address::Unproven,
        };
        match claim("email").map(str::parse) {
            Some(Ok(email)) => proven(email),
            Some(Err(_)) => Address::Unusable,
            None => Address::Unproven,
        }
    }
}

/// Some providers write 1 for true in claims of their own.
fn is_yes(claim: &str, text: &str) -> bool {
    text == "true" || (text == "1" && claim != "email_verified")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use domain::access::Address;

    use super::SignIn;
    use crate::config::Environment;

    fn sign_in(identity_claim: &str, email_proof: &str) -> SignIn {
        let variables = [
            ("IDENTITY_CLAIM", identity_claim),
            ("EMAIL_PROOF", email_proof),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        SignIn::new(&Environment::of(variables.into())).unwrap()
    }

    #[test]
    fn what_proves_an_address_is_a_setting() {
        let kim = || "kim@example.com".parse().unwrap();
        for (proof, claims, expected) in [
            (
                "email_verified",
                vec![("email_verified", "true")],
                Address::Proven(kim()),
            ),
            (
                "email_verified",
                vec![("email_verified", "1")],
                Address::Unproven,
            ),
            (
                "email_verified",
                vec![("email_verified", "TRUE")],
                Address::Unproven,
            ),
            (
                "email_verified",
                vec![("xms_edov", "true")],
                Address::Unproven,
            ),
            ("email_verified", vec![], Address::Unproven),
            (
                "email_verified",
                vec![("email_verified", "true"), ("xms_edov", "0")],
                Address::Unproven,
            ),
            (
                "xms_edov",
                vec![("xms_edov", "true")],
                Address::Proven(kim()),
            ),
            ("xms_edov", vec![("xms_edov", "1")], Address::Proven(kim())),
            ("xms_edov", vec![("xms_edov", "false")], Address::Unproven),
            (
                "xms_edov",
                vec![("email_verified", "true")],
                Address::Unproven,
            ),
            (
                "xms_edov",
                vec![("xms_edov", "true"), ("email_verified", "false")],
                Address::Unproven,
            ),
            ("link", vec![], Address::Claimed(kim())),
            (
                "link",
                vec![("email_verified", "true")],
                Address::Claimed(kim()),
            ),
            ("link", vec![("email_verified", "false")], Address::Unproven),
            ("link", vec![("xms_edov", "false")], Address::Unproven),
        ] {
            let mut claims: HashMap<&str, &str> = claims.into_iter().collect();
            claims.extend([("iss", "https://id.example"), ("sub", "kim")]);
            claims.insert("email", "Kim@example.com");
            let read = |claims: &HashMap<&str, &str>| {
                let claim = |name: &str| claims.get(name).copied();
                sign_in("sub", proof).caller(claim, None).unwrap().address
            };
            assert_eq!(read(&claims), expected, "{proof} {claims:?}");
            // Whatever the proof, an address that no invite can reach leads nowhere.
            claims.insert("email", "josé@example.com");
            let is_proof = expected != Address::Unproven;
            assert_eq!(read(&claims) == Address::Unusable, is_proof, "{claims:?}");
            claims.remove("email");
            assert_eq!(read(&claims), Address::Unproven, "{claims:?}");
        }
    }

    #[test]
    fn the_identity_is_the_claim_that_the_product_chose() {
        let claims = HashMap::from([
            ("iss", "https://id.example"),
            ("sub", "pairwise"),
            ("oid", "kim"),
        ]);
        let claim = |name: &str| claims.get(name).copied();
        for (identity_claim, expected) in [
            ("sub", Some("pairwise")),
            ("oid", Some("kim")),
            ("uid", None),
        ] {
            let caller = sign_in(identity_claim, "link").caller(claim, None).ok();
            let subject = caller.map(|caller| caller.identity.subject);
            assert_eq!(subject.as_deref(), expected, "{identity_claim}");
        }
    }
}
