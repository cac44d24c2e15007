//! Copies and their originals, file by file.
//!
//! In: the files of a workspace, a newer project. Out: the three versions of each file of a copy,
//! and what becomes of it.
//! Always true: all three are in the words of the copy; a file that one side does not have is
//! never taken for an empty one.

use std::collections::{BTreeMap, BTreeSet};

use super::clone::{Refused, refused};
use super::lock::{Lock, Origin};
use super::merge::{Clash, Conflict, Side, merge};
use super::parts::WHOLE;
use super::settle::Settled;
use super::source::{Source, project_of};
use super::tables::{own_table, table_of, table_path, tables_used, wiring};
use super::upgrade::Outcome;
use super::wording::{Names, worded};
use crate::data::digest;

/// The originals as they are now.
pub(super) struct Theirs<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) of: &'a str,
    pub(super) newer: Option<&'a BTreeMap<String, String>>,
    /// The names that mean something else in the copy.
    pub(super) names: Names<'a>,
}

/// Three versions of a file, in the words of the copy.
pub(super) struct Meeting {
    pub(super) path: String,
    pub(super) of: String,
    base: Option<String>,
    pub(super) mine: Option<String>,
    theirs: Option<String>,
    /// Theirs in the original's words.
    pub(super) original: Option<String>,
    is_new: bool,
}

impl<'a> Theirs<'a> {
    fn text(&self, path: &str) -> Option<&String> {
        match self.newer {
            Some(newer) if project_of(path) == self.of || newer.contains_key(path) => {
                newer.get(path)
            }
            _ => self.source.original(path),
        }
    }

    pub(super) fn version(&self) -> Result<String, Refused> {
        let folder = format!("recipes/{}/", self.of);
        let all = self.paths();
        if !all.iter().any(|path| path.starts_with(&folder)) {
            let message = format!(
                "the project `{}`, which this is a copy of, is not there any more: there is nothing \
                 to upgrade to. The copy goes on as it is",
                self.of
            );
            return Err(refused("original_is_gone", message));
        }
        let Some(newer) = self.newer else {
            return Ok(self.source.version(self.of));
        };
        let nothing = BTreeMap::new();
        let lock = Lock::default();
        let source = Source {
            own: newer,
            bundled: &nothing,
            lock: &lock,
            bases: &nothing,
        };
        Ok(source.version(self.of))
    }

    /// The paths of all originals.
    fn paths(&self) -> BTreeSet<&'a String> {
        match self.newer {
            Some(newer) => newer.keys().collect(),
            None => self.source.texts().into_keys().collect(),
        }
    }

    pub(super) fn meet(&self, path: &str, of: &str, base: Option<&String>) -> Meeting {
        let original = self.text(of).cloned();
        Meeting {
            path: path.to_owned(),
            of: of.to_owned(),
            base: base.map(|text| worded(path, text, of, &self.names)),
            mine: self.source.own.get(path).cloned(),
            theirs: original
                .as_ref()
                .map(|text| worded(path, text, of, &self.names)),
            original,
            is_new: false,
        }
    }

    /// The tables that the original's recipes did not use before, with the name that the own one
    /// of a copy with own tables has; of other copies none.
    pub(super) fn fresh_tables(
        &self,
        project: &str,
        copies: &BTreeMap<&String, &Origin>,
    ) -> BTreeMap<String, String> {
        let own = self.source.own.get(&project_file(project));
        let wired = own.and_then(|text| wiring(text));
        let has_own = copies.keys().any(|path| table_of(path).is_some());
        let has_own = has_own || wired.as_ref().is_some_and(BTreeMap::is_empty);
        let theirs = self.text(&project_file(self.of));
        if self.of == project || !has_own || theirs.is_some_and(|text| wiring(text).is_some()) {
            return BTreeMap::new();
        }
        let folder = format!("recipes/{}/", self.of);
        let paths = self.paths().into_iter();
        let paths = paths.filter(|path| path.starts_with(&folder));
        let mut used = tables_used(paths.filter_map(|path| Some((path, self.text(path)?))));
        let bases = copies.values().filter_map(|origin| {
            let text = self.source.bases.get(&origin.hash)?;
            Some((&origin.of, text))
        });
        let before = tables_used(bases);
        used.retain(|role| !before.contains(role) && self.text(&table_path(role)).is_some());
        let wired = wired.unwrap_or_default();
        let fresh = used.into_iter().map(|role| {
            let own = own_table(self.of, project, &role);
            (role, own)
        });
        // What is wired to another table by hand is meant so.
        let is_open = |(role, own): &(String, String)| wired.get(role).is_none_or(|to| to == own);
        fresh.filter(is_open).collect()
    }

    /// The names that mean something else in the copy.
    pub(super) fn names(
        &self,
        copies: &BTreeMap<&String, &Origin>,
        fresh: &BTreeMap<String, String>,
    ) -> Names<'a> {
        let mut names = Names::of(self.source, self.of, self.paths().into_iter());
        names.tables.clone_from(fresh);
        for (path, origin) in copies {
            if let (Some(own), Some(role)) = (table_of(path), table_of(&origin.of)) {
                names.tables.insert(role.to_owned(), own.to_owned());
            }
        }
        names
    }

    /// Own tables in place of those that the original did not use before.
    pub(super) fn new_tables(
        &self,
        fresh: &BTreeMap<String, String>,
        copies: &BTreeMap<&String, &Origin>,
    ) -> Vec<Meeting> {
        let paths = fresh
            .iter()
            .map(|(role, own)| (table_path(role), table_path(own)));
        let new = paths.filter(|(_, own)| !copies.contains_key(own));
        new.map(|(of, own)| Meeting {
            is_new: true,
            ..self.meet(&own, &of, None)
        })
        .collect()
    }

    /// Files that the original did not have before.
    pub(super) fn new_files(&self, project: &str, known: &BTreeSet<&str>) -> Vec<Meeting> {
        let folder = format!("recipes/{}/", self.of);
        let paths = self.paths().into_iter();
        let new = paths.filter(|path| !known.contains(path.as_str()));
        let new = new.filter_map(|path| Some((path, path.strip_prefix(&folder)?)));
        new.map(|(path, rest)| Meeting {
            is_new: true,
            ..self.meet(&format!("recipes/{project}/{rest}"), path, None)
        })
        .collect()
    }
}

impl Meeting {
    /// What becomes of the file; `None` if it stays as it is.
    pub(super) fn outcome(&self, settled: &Settled) -> Option<Outcome> {
        let (base, mine, theirs) = (&self.base, &self.mine, &self.theirs);
        if mine == theirs || theirs == base {
            return None;
        }
        if mine == base {
            return Some(match theirs {
                Some(text) if self.is_new => Outcome::Added(text.clone()),
                Some(text) => Outcome::Replaced(text.clone()),
                None => Outcome::Removed,
            });
        }
        let settling = |part: &str| settled.side(&self.path, part);
        match (base, mine, theirs) {
            (Some(base), Some(mine), Some(theirs)) => {
                if let Ok(text) = merge(base, mine, theirs, &|_| None) {
                    return Some(Outcome::Merged(text));
                }
                Some(match merge(base, mine, theirs, &settling) {
                    Ok(text) => Outcome::Settled(Some(text)),
                    Err(clash) => Outcome::Open(clash),
                })
            }
            _ => Some(match settling(WHOLE) {
                Some(Side::Mine) => Outcome::Settled(mine.clone()),
                Some(Side::Theirs) => Outcome::Settled(theirs.clone()),
                None => Outcome::Open(Clash {
                    conflicts: vec![Conflict {
                        part: WHOLE.to_owned(),
                        base: base.clone(),
                        mine: mine.clone(),
                        theirs: theirs.clone(),
                    }],
                    marked: None,
                }),
            }),
        }
    }
}

/// The path of a project's own file.
pub(super) fn project_file(project: &str) -> String {
    format!("recipes/{project}/project.yaml")
}

/// A hash of all versions that meet.
pub(super) fn state(meetings: &[Meeting]) -> String {
    let mut seen = String::new();
    for meeting in meetings {
        seen.push_str(&meeting.path);
        for text in [&meeting.base, &meeting.mine, &meeting.theirs] {
            seen.push(' ');
            let hash = text.as_ref().map(|text| digest(text.as_bytes()));
            seen.push_str(&hash.unwrap_or_default());
        }
        seen.push('\n');
    }
    digest(seen.as_bytes())
}
