//! The keys that verify tokens.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// The accepted signature algorithms (RFC 7518, 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
}

/// A key (RFC 7517, 4; RFC 7518, 6.2.1 and 6.3.1).
#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct PublicKey {
    pub(crate) id: String,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { point: Vec<u8> },
}

impl PublicKey {
    pub(crate) fn of(jwk: Jwk) -> Option<Self> {
        let bytes = |text: Option<String>| BASE64URL_NOPAD.decode(text?.as_bytes()).ok();
        let is_for_another_use = jwk.used_for.is_some_and(|used_for| used_for != "sig")
            || jwk
                .key_ops
                .is_some_and(|uses| !uses.contains(&"verify".to_owned()));
        let algorithm = match jwk.kty.as_str() {
            "RSA" => "RS256",
            _ => "ES256",
        };
        if is_for_another_use || jwk.alg.is_some_and(|named| named != algorithm) {
            return None;
        }
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                n: bytes(jwk.n)?,
                e: bytes(jwk.e)?,
            },
            ("EC", Some("P-256")) => {
                // An uncompressed point (SEC 1, 2.3.3).
                let point = [vec![4], bytes(jwk.x)?, bytes(jwk.y)?].concat();
                Material::P256 { point }
            }
            _ => return None,
        };
        Some(Self {
            id: jwk.kid?,
            material,
        })
    }

    /// Whether the key made a signature. A key works only with its own algorithm.
    pub(crate) fn has_signed(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match (algorithm, &self.material) {
            (Algorithm::Rs256, Material::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            (Algorithm::Es256, Material::P256 { point }) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            (Algorithm::Rs256, Material::P256 { .. })
            | (Algorithm::Es256, Material::Rsa { .. }) => false,
        }
    }
}
