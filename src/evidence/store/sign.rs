//! Signatures over SHA256SUMS in minisign's format, which Debian's `minisign` makes and checks too.

use std::fmt;
use std::io::{Cursor, Read as _};
use std::path::Path;

use minisign::{PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

use super::read;
use crate::text::{self, hexadecimal, printable};

/// Keys and signatures are a few lines.
const MAX_OCTETS: u64 = 4096;
/// Base64 characters of a signature with its key's id, and of the signature over the comment.
const SIGNATURE_LENGTHS: (usize, usize) = (100, 88);

/// Octets of a secret key's checksum, at its end.
const CHECKSUM: usize = 32;

/// A key or a signature that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The file of a key cannot be used.
    #[error("{path} is no {what} of minisign: {why}")]
    Key {
        /// The file.
        path: String,
        /// Secret or public key.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// Nothing could be signed.
    #[error("cannot sign: {0}")]
    Sign(String),
}

/// A secret key, ready to sign.
pub struct Signer(SecretKey);

/// A secret key as its file holds it, maybe under a password.
pub struct LockedKey {
    path: String,
    text: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl fmt::Debug for LockedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockedKey({}, ..)", self.path)
    }
}

impl LockedKey {
    /// Reads the file of a secret key.
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let name = text::path(path);
        let wrong = |why: String| SignError::Key { path: name.clone(), what: "secret key", why };
        // A key may be a link or come through a pipe: it is the operator's own.
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
        file.take(MAX_OCTETS + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
        if text.len() as u64 > MAX_OCTETS || text.lines().count() < 2 {
            return Err(wrong("it has not the form of one".to_owned()));
        }
        Ok(Self { path: name, text })
    }

    /// The key, if no password protects it.
    pub fn open(&self) -> Option<Signer> {
        let checked = SecretKeyBox::from(self.text.clone()).into_unencrypted_secret_key().ok();
        checked.or_else(|| self.unchecked()).map(Signer)
    }

    /// Debian's `minisign -G -W` leaves the checksum of such a key empty, which the library takes for damage.
    fn unchecked(&self) -> Option<SecretKey> {
        use base64::Engine as _;
        let octets = base64::engine::general_purpose::STANDARD.decode(self.text.lines().nth(1)?.trim()).ok()?;
        let (kdf, checksum) = (octets.get(2..4)?, octets.get(octets.len().checked_sub(CHECKSUM)?..)?);
        let empty = |octets: &[u8]| octets.iter().all(|octet| *octet == 0);
        if empty(kdf) && empty(checksum) { SecretKey::from_bytes(&octets).ok() } else { None }
    }

    /// The key under this password.
    pub fn open_with(&self, password: &str) -> Result<Signer, SignError> {
        SecretKeyBox::from(self.text.clone()).into_secret_key(Some(password.to_owned())).map(Signer).map_err(|error| {
            SignError::Key { path: self.path.clone(), what: "secret key", why: printable(&error.to_string(), 200) }
        })
    }
}

impl Signer {
    /// The signature file over these bytes, with a comment that is signed too.
    pub(super) fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, SignError> {
        let untrusted = "signature of a cmcomply run";
        minisign::sign(None, &self.0, Cursor::new(bytes), Some(comment), Some(untrusted))
            .map(|signature| signature.to_string())
            .map_err(|error| SignError::Sign(printable(&error.to_string(), 200)))
    }
}

/// A public key.
#[derive(Debug, Clone)]
pub struct PublicKey(minisign::PublicKey);

impl PublicKey {
    /// The key in a file, or the key itself as one word.
    pub fn read(text: &str) -> Result<Self, SignError> {
        let wrong = |why: String| SignError::Key { path: printable(text, 500), what: "public key", why };
        if let Ok(key) = minisign::PublicKey::from_base64(text) {
            return Ok(Self(key));
        }
        let bytes = read(Path::new(text), MAX_OCTETS).map_err(|error| wrong(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text".to_owned()))?;
        let key = PublicKeyBox::from(text).into_public_key();
        key.map(Self).map_err(|error| wrong(printable(&error.to_string(), 200)))
    }

    /// Its id, as minisign writes it.
    pub fn id(&self) -> String {
        id(self.0.keynum())
    }
}

/// A signature as its file holds it.
pub(super) struct Signature(SignatureBox);

impl Signature {
    /// Reads one; errors are words.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text")?;
        let lines: Vec<&str> = text.lines().collect();
        let lengths = |at: usize| lines.get(at).map_or(0, |line| line.trim().len());
        if (lengths(1), lengths(3)) != SIGNATURE_LENGTHS {
            return Err("it has not the form of a signature".to_owned());
        }
        SignatureBox::from_string(text).map(Self).map_err(|error| printable(&error.to_string(), 200))
    }

    /// The id of its key.
    pub(super) fn key(&self) -> String {
        id(self.0.keynum())
    }

    /// The comment that is signed too.
    pub(super) fn comment(&self) -> String {
        printable(&self.0.trusted_comment().unwrap_or_default(), 500)
    }

    /// Whether this key made it over these bytes.
    pub(super) fn is_good(&self, key: &PublicKey, bytes: &[u8]) -> bool {
        minisign::verify(&key.0, &self.0, Cursor::new(bytes), true, false, true).is_ok()
    }
}

fn id(octets: &[u8]) -> String {
    let octets: Vec<u8> = octets.iter().rev().copied().collect();
    hexadecimal(&octets).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (Signer, PublicKey) {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        (Signer(pair.sk), PublicKey(pair.pk))
    }

    #[test]
    fn a_signature_is_of_its_bytes_its_comment_and_its_key() {
        let ((signer, public), (_, other)) = (key(), key());
        let text = signer.sign(b"sums", "cmcomply run x").unwrap();
        let signature = Signature::parse(text.as_bytes()).unwrap();
        assert!(signature.is_good(&public, b"sums"));
        assert!(!signature.is_good(&public, b"sumz") && !signature.is_good(&other, b"sums"));
        assert_eq!((signature.key(), signature.comment().as_str()), (public.id(), "cmcomply run x"));
        let forged = Signature::parse(text.replace("run x", "run y").as_bytes()).unwrap();
        assert!(!forged.is_good(&public, b"sums"), "the comment is signed too");
    }

    #[test]
    fn what_is_no_signature_is_an_error() {
        let text = key().0.sign(b"sums", "c").unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for broken in [
            String::new(),
            "untrusted comment: x\n".to_owned(),
            text.replace(lines[1], &lines[1][..40]),
            text.replace(lines[3], "AAAA"),
            text.replace(lines[3], &"é".repeat(44)),
            text.replace("trusted comment", "t"),
        ] {
            assert!(Signature::parse(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(Signature::parse(&[0xff; 300]).is_err());
    }
}
