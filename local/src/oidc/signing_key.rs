//! The RSA key that signs tokens.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};

/// The smallest key that RFC 7518, section 3.3 allows for RS256.
const KEY_BITS: usize = 2048;

/// Clones share the key.
#[derive(Clone)]
pub struct SigningKey(pub(super) Arc<KeyPair>);

pub(super) struct KeyPair {
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    /// The public key with its id, which anyone may fetch.
    pub(super) jwk: Jwk,
    /// The thumbprint of the public key (RFC 7638): the same key always has the same id.
    pub(super) id: String,
}

impl SigningKey {
    /// A new key. Finding its primes takes a moment.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn generate() -> Result<Self, SigningKeyError> {
        Self::from_pem(generate_pem()?.as_bytes())
    }

    /// Reads a PEM file (PKCS#8, RFC 5958). If there is none, this writes a new key there, so that tokens
    /// survive a restart. Only the file's owner can read it.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written, or holds something else.
    pub fn load_or_generate(path: &Path) -> Result<Self, SigningKeyError> {
        match fs::read(path) {
            Ok(pem) => Self::from_pem(&pem),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = generate_pem()?;
                write_private(path, pem.as_bytes()).map_err(SigningKeyError::File)?;
                Self::from_pem(pem.as_bytes())
            }
            Err(error) => Err(SigningKeyError::File(error)),
        }
    }

    fn from_pem(pem: &[u8]) -> Result<Self, SigningKeyError> {
        let key_pair = KeyPair::from_pem(pem).map_err(SigningKeyError::Unusable)?;
        Ok(Self(Arc::new(key_pair)))
    }
}

impl KeyPair {
    fn from_pem(pem: &[u8]) -> Result<Self, jsonwebtoken::errors::Error> {
        let signing = EncodingKey::from_rsa_pem(pem)?;
        let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::RS256)?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            verifying: DecodingKey::from_jwk(&jwk)?,
            signing,
            jwk,
            id,
        })
    }
}

/// Shows the key's id and never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.0.id)
    }
}

fn generate_pem() -> Result<String, SigningKeyError> {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, KEY_BITS)
        .map_err(SigningKeyError::Generate)?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(SigningKeyError::Encode)?;
    // The library's own type wipes the memory. A key for development doesn't need that.
    Ok(pem.as_str().to_owned())
}

/// Only the owner can read the file.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

#[derive(Debug)]
pub enum SigningKeyError {
    Generate(rsa::Error),
    Encode(rsa::pkcs8::Error),
    File(io::Error),
    Unusable(jsonwebtoken::errors::Error),
}

impl fmt::Display for SigningKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate(error) => write!(f, "the RSA key could not be generated: {error}"),
            Self::Encode(error) => write!(f, "the RSA key could not be encoded: {error}"),
            Self::File(error) => write!(f, "the key's file cannot be used: {error}"),
            Self::Unusable(error) => write!(f, "this is not an RSA private key in PEM: {error}"),
        }
    }
}

impl std::error::Error for SigningKeyError {}
