//! Copies meet the next version of what they were made of.
//!
//! In: the files of a workspace, the texts that copies were made of, what was settled. Out: what
//! becomes of each file of a project, with the conflicts that are still open.
//! Always true: a file that was not changed here is as the original is now; nothing is to be
//! written while a conflict is open.

use std::collections::{BTreeMap, BTreeSet};

use super::clone::{Refused, Source, refused, version, with_bare_calls};
use super::lock::{Lock, Origin};
use super::merge::{Conflict, Side, merge};
use crate::data::digest;

/// The part that stands for a whole file.
pub const WHOLE: &str = "the file";

/// What is settled: by file, by part.
pub type Settled = BTreeMap<String, BTreeMap<String, Side>>;

/// What becomes of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The project that it was made of.
    pub of: String,
    /// The versions that its files are of now.
    pub from: BTreeSet<String>,
    /// The version that they will be of.
    pub to: String,
    /// What becomes of each file that is not as it was, by path.
    pub files: BTreeMap<String, Outcome>,
    /// The texts that the files will be made of, by hash.
    pub bases: BTreeMap<String, String>,
    /// What is recorded afterwards.
    pub lock: Lock,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not changed here: the new text takes its place.
    Replaced(String),
    /// Both changed it, and it goes together.
    Merged(String),
    /// It is new.
    Added(String),
    /// The original is gone, and it was not changed here.
    Removed,
    /// Both changed it in ways that do not go together.
    Open(Vec<Conflict>),
}

impl Upgrade {
    /// Whether everything is settled.
    pub fn is_settled(&self) -> bool {
        !self
            .files
            .values()
            .any(|outcome| matches!(outcome, Outcome::Open(_)))
    }

    /// The text of each file afterwards; none if it goes.
    pub fn texts(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.files.iter().filter_map(|(path, outcome)| match outcome {
            Outcome::Replaced(text) | Outcome::Merged(text) | Outcome::Added(text) => {
                Some((&**path, Some(&**text)))
            }
            Outcome::Removed => Some((&**path, None)),
            Outcome::Open(_) => None,
        })
    }
}

/// What becomes of the copies in a project when they meet the originals as they are now. `bases`
/// are the kept texts, by hash.
pub fn upgrade(
    source: &Source<'_>,
    project: &str,
    bases: &BTreeMap<String, String>,
    settled: &Settled,
) -> Result<Upgrade, Refused> {
    let inside = format!("recipes/{project}/");
    let tables = format!("lookup-tables/{project}-");
    let is_of = |path: &str| path.starts_with(&inside) || path.starts_with(&tables);
    let copies: BTreeMap<&String, &Origin> = source
        .lock
        .files
        .iter()
        .filter(|(path, _)| is_of(path))
        .collect();
    if copies.is_empty() {
        let message = format!(
            "recipes.lock names no copy in `{project}`: it was neither cloned nor customised here"
        );
        return Err(refused("no_copies", message));
    }
    let of = source.lock.cloned_from(project).unwrap_or(project);
    let mut upgrade = Upgrade {
        of: of.to_owned(),
        from: copies.values().map(|origin| origin.version.clone()).collect(),
        to: version(source, of),
        files: BTreeMap::new(),
        bases: BTreeMap::new(),
        lock: source.lock.clone(),
    };
    let nothing = BTreeMap::new();
    for (path, origin) in &copies {
        let settled = settled.get(*path).unwrap_or(&nothing);
        let bare = |text: &String| with_bare_calls(path, text, of);
        let meeting = Meeting {
            base: bases.get(&origin.hash).map(bare),
            mine: source.own(path).cloned(),
            theirs: source.original(&origin.of).map(bare),
        };
        let outcome = meeting.outcome(settled);
        upgrade.note(path, &origin.of, source.original(&origin.of), outcome);
    }
    if of != project {
        let known: BTreeSet<&str> = copies.values().map(|origin| &*origin.of).collect();
        upgrade.add_new(source, project, &known, settled);
    }
    Ok(upgrade)
}

/// Three versions of a file.
struct Meeting {
    base: Option<String>,
    mine: Option<String>,
    theirs: Option<String>,
}

impl Meeting {
    /// What becomes of the file; `None` if it stays as it is.
    fn outcome(self, settled: &BTreeMap<String, Side>) -> Option<Outcome> {
        let Self { base, mine, theirs } = self;
        if mine == theirs || theirs == base {
            return None;
        }
        match settled.get(WHOLE) {
            Some(Side::Mine) => return None,
            Some(Side::Theirs) => return Some(theirs.map_or(Outcome::Removed, Outcome::Replaced)),
            None => {}
        }
        if mine == base {
            return Some(theirs.map_or(Outcome::Removed, Outcome::Replaced));
        }
        match (base, mine, theirs) {
            (Some(base), Some(mine), Some(theirs)) => {
                Some(match merge(&base, &mine, &theirs, settled) {
                    Ok(text) => Outcome::Merged(text),
                    Err(conflicts) => Outcome::Open(conflicts),
                })
            }
            (base, mine, theirs) => Some(Outcome::Open(vec![Conflict {
                part: WHOLE.to_owned(),
                base,
                mine,
                theirs,
            }])),
        }
    }
}

impl Upgrade {
    fn note(&mut self, path: &str, of: &str, theirs: Option<&String>, outcome: Option<Outcome>) {
        match theirs {
            Some(text) => {
                let hash = digest(text.as_bytes());
                let origin = Origin {
                    of: of.to_owned(),
                    version: self.to.clone(),
                    hash: hash.clone(),
                };
                self.lock.files.insert(path.to_owned(), origin);
                self.bases.insert(hash, text.clone());
            }
            // What has no original any more is a file like any other.
            None => {
                self.lock.files.remove(path);
            }
        }
        if let Some(outcome) = outcome {
            self.files.insert(path.to_owned(), outcome);
        }
    }

    /// Files that the original did not have before.
    fn add_new(
        &mut self,
        source: &Source<'_>,
        project: &str,
        known: &BTreeSet<&str>,
        settled: &Settled,
    ) {
        let folder = format!("recipes/{}/", self.of);
        let of = self.of.clone();
        for (path, text) in source.texts.iter().filter(|(path, _)| {
            path.starts_with(&folder) && !known.contains(path.as_str())
        }) {
            let text = source.original(path).unwrap_or(text);
            let rest = path.strip_prefix(&folder).unwrap_or(path);
            let own = format!("recipes/{project}/{rest}");
            let meeting = Meeting {
                base: None,
                mine: source.own(&own).cloned(),
                theirs: Some(with_bare_calls(path, text, &of)),
            };
            let nothing = BTreeMap::new();
            let outcome = match meeting.outcome(settled.get(&own).unwrap_or(&nothing)) {
                Some(Outcome::Replaced(text)) => Some(Outcome::Added(text)),
                outcome => outcome,
            };
            self.note(&own, path, Some(text), outcome);
        }
    }
}
