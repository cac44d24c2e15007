//! The secrets that this process has met.
//!
//! In: secrets, from whichever room reads one first. Out: one masker of them all.
//! Always true: what was learned once is hidden until the process ends. The set is the process's
//! own, since logs are: a secret of one workspace is no less secret in the answers of another.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::Masker;

/// Shorter secrets are not looked for in answers and logs: they would blacken ordinary words.
pub const SECRET_BYTES_MIN: usize = 8;

/// So many new secrets are looked for beside the others before all are put together anew.
const RECENT_MAX: usize = 64;

/// So many sets of secrets keep their masker: one for each connection, and those before a token
/// was renewed.
const SETS_MAX: usize = 256;

static SETS: LazyLock<RwLock<Sets>> = LazyLock::new(RwLock::default);

type Sets = HashMap<BTreeSet<String>, Arc<Masker>>;

static LEARNED: LazyLock<RwLock<Learned>> = LazyLock::new(RwLock::default);

#[derive(Default)]
struct Learned {
    all: HashSet<String>,
    recent: Vec<String>,
    /// Of all but the recent ones.
    older: Masker,
    masker: Option<Arc<Masker>>,
}

/// Learns a secret; one that is known already costs a look.
pub fn learn_secret(secret: &str) {
    let secret = secret.trim();
    let is_new =
        |learned: &Learned| secret.len() >= SECRET_BYTES_MIN && !learned.all.contains(secret);
    if !is_new(&LEARNED.read().unwrap_or_else(PoisonError::into_inner)) {
        return;
    }
    let mut learned = LEARNED.write().unwrap_or_else(PoisonError::into_inner);
    if is_new(&learned) {
        learned.all.insert(secret.to_owned());
        learned.recent.push(secret.to_owned());
        learned.masker = None;
    }
}

/// What takes all learned secrets out of texts and values.
pub fn learned_secrets() -> Arc<Masker> {
    if let Some(masker) = &LEARNED
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .masker
    {
        return masker.clone();
    }
    let mut learned = LEARNED.write().unwrap_or_else(PoisonError::into_inner);
    if learned.recent.len() > RECENT_MAX {
        learned.older = Masker::of(learned.all.iter().map(String::as_str));
        learned.recent.clear();
    }
    let recent = Masker::of(learned.recent.iter().map(String::as_str));
    let masker = Arc::new(recent.and(&learned.older));
    learned.masker = Some(masker.clone());
    masker
}

/// What takes these secrets out of texts and values, and no others. It is put together once.
pub fn masker_of_secrets(secrets: BTreeSet<String>) -> Arc<Masker> {
    let known = SETS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(masker) = known.get(&secrets) {
        return masker.clone();
    }
    drop(known);
    let masker = Arc::new(Masker::of(secrets.iter().map(String::as_str)));
    let mut known = SETS.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= SETS_MAX {
        known.clear();
    }
    known.insert(secrets, masker.clone());
    masker
}
