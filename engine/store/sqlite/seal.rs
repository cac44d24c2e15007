//! Secrets at rest: sealed with a key that stands in a file of its own.
//!
//! In: a secret and what it is called. Out: bytes that only this workspace can open.
//! Always true: a copy of the database alone shows no secret; a sealed value opens only under the
//! name it was sealed for. What was sealed with an earlier key opens for as long as the file has
//! that key.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use super::key_file::{self, KEY_BYTES, KeyBytes};
use crate::data::Secret;
use crate::mask::{Masker, learn_secret};
use crate::store::StoreError;

/// Seals and opens secrets.
#[derive(Debug)]
pub(super) struct Sealer(RwLock<Ring>);

/// The keys, the one in use first; the others only open.
#[derive(Debug)]
struct Ring(Vec<LessSafeKey>);

impl Sealer {
    /// The sealer of a key file; the key is made when there is none yet.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            key_file::write(path, &[random()?])?;
        }
        Self::of(&key_file::read(path)?)
    }

    /// A sealer whose key is gone with the process.
    pub(super) fn passing() -> Result<Self, StoreError> {
        Self::of(&[random()?])
    }

    /// Makes a new key, writes it into the file before the others, and seals with it from now on.
    pub(super) fn renew(&self, path: &Path) -> Result<(), StoreError> {
        let mut keys = key_file::read(path)?;
        keys.insert(0, random()?);
        key_file::write(path, &keys)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Ring::of(&keys)?;
        Ok(())
    }

    fn of(keys: &[KeyBytes]) -> Result<Self, StoreError> {
        Ok(Self(RwLock::new(Ring::of(keys)?)))
    }

    /// Seals a secret under a name.
    pub(super) fn seal(&self, name: &str, secret: &Secret) -> Result<Vec<u8>, StoreError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut body = secret.reveal().as_bytes().to_vec();
        let cannot = || StoreError::Unavailable("a secret cannot be sealed".to_owned());
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let key = ring.0.first().ok_or_else(cannot)?;
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(name.as_bytes()),
            &mut body,
        )
        .map_err(|_| cannot())?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// Opens what was sealed under this name; `None` if it was sealed with another key or changed.
    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Option<Secret> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ring.0.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut body = body.to_vec();
            let aad = Aad::from(name.as_bytes());
            let plain = key.open_in_place(nonce, aad, &mut body).ok()?;
            Some(Secret::new(String::from_utf8(plain.to_vec()).ok()?))
        })
    }
}

impl Ring {
    fn of(keys: &[KeyBytes]) -> Result<Self, StoreError> {
        let keys = keys.iter().map(|key| {
            let key = UnboundKey::new(&CHACHA20_POLY1305, key)
                .map_err(|_| StoreError::Corrupt("the key has the wrong length".to_owned()))?;
            Ok(LessSafeKey::new(key))
        });
        Ok(Self(keys.collect::<Result<_, StoreError>>()?))
    }
}

/// What a sealed piece of a text begins with, and its end.
const SEALED: &str = "\u{1}sealed:";
const SEALED_END: char = '\u{1}';

/// Under which name pieces of texts are sealed.
const PIECE: &str = "piece";

impl Sealer {
    /// A text in which every secret that this process knows is sealed.
    pub(super) fn sealed_text<'a>(
        &self,
        secrets: &Masker,
        text: &'a str,
    ) -> Result<Cow<'a, str>, StoreError> {
        let mut trouble = None;
        let sealed = secrets.replaced(text, &mut |secret| {
            self.seal_piece(secret).unwrap_or_else(|why| {
                trouble = Some(why);
                String::new()
            })
        });
        trouble.map_or(Ok(sealed), Err)
    }

    /// One piece of text, sealed, as text.
    pub(super) fn seal_piece(&self, text: &str) -> Result<String, StoreError> {
        let sealed = self.seal(PIECE, &Secret::new(text))?;
        let sealed = BASE64_URL_SAFE_NO_PAD.encode(sealed);
        Ok(format!("{SEALED}{sealed}{SEALED_END}"))
    }

    /// A text whose sealed pieces are opened; the process knows them from now on. A piece of
    /// another workspace stays sealed.
    pub(super) fn opened_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !is_sealed(text) {
            return Cow::Borrowed(text);
        }
        let mut opened = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, piece, after)) = next_piece(rest) {
            opened.push_str(before);
            match self.open_piece(piece) {
                Some(secret) => {
                    learn_secret(secret.reveal());
                    opened.push_str(secret.reveal());
                }
                None => opened.push_str(&rest[before.len()..rest.len() - after.len()]),
            }
            rest = after;
        }
        opened.push_str(rest);
        Cow::Owned(opened)
    }

    fn open_piece(&self, piece: &str) -> Option<Secret> {
        self.open(PIECE, &BASE64_URL_SAFE_NO_PAD.decode(piece).ok()?)
    }
}

/// Whether a text has sealed pieces.
pub(super) fn is_sealed(text: &str) -> bool {
    text.contains(SEALED)
}

/// What stands before the next sealed piece, the piece, and what follows.
fn next_piece(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(SEALED)?;
    let (piece, after) = rest.split_once(SEALED_END)?;
    Some((before, piece, after))
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    const { assert!(N == KEY_BYTES || N == NONCE_LEN) };
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StoreError::Unavailable("the machine gives no random bytes".to_owned()))?;
    Ok(bytes)
}
