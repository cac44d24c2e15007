//! Copies meet the present version of what they were made of.
//!
//! In: the files of a workspace, the texts that copies were made of, what was settled. Out: what
//! becomes of each file of a project, with the conflicts that are still open.
//! Always true: a file that was not changed here is as the original is now; nothing is to be
//! written while a conflict is open.

use std::collections::{BTreeMap, BTreeSet};

use super::clone::{Refused, cannot_wire, refused};
use super::lock::{Lock, Origin};
use super::meet::{Meeting, Theirs, project_file, state};
use super::merge::Clash;
use super::settle::Settled;
use super::source::{Source, project_of};
use super::tables::{own_table, table_of, wired};
use super::version::is_older;
use super::wording::Names;
use crate::data::digest;

/// What becomes of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The project that is upgraded.
    pub project: String,
    /// The project that it was made of; the same one if only recipes of it are customised.
    pub of: String,
    /// The versions that its files are of now; lookup tables have none.
    pub from: BTreeSet<String>,
    /// The version that they will be of.
    pub to: String,
    /// What becomes of each file that is not as it was, by path.
    pub files: BTreeMap<String, Outcome>,
    /// The files that are not as they were and of which it is not kept what they were made of.
    pub without_base: BTreeSet<String>,
    /// The text of each of these files as it is now.
    pub before: BTreeMap<String, String>,
    /// The texts that the files will be made of, by hash.
    pub bases: BTreeMap<String, String>,
    /// What is recorded afterwards.
    pub lock: Lock,
    /// A hash of all that the upgrade was made of: another one means that something has changed.
    pub state: String,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not changed here: the new text takes its place.
    Replaced(String),
    /// Both changed it, and it goes together.
    Merged(String),
    /// Both changed it in ways that do not go together, and it is settled how it shall be.
    Settled(Option<String>),
    /// It is new.
    Added(String),
    /// The original is gone, and it was not changed here.
    Removed,
    /// Both changed it in ways that do not go together.
    Open(Clash),
}

impl Outcome {
    /// The text afterwards, or that there is none; `None` while that is open.
    pub fn text(&self) -> Option<Option<&str>> {
        match self {
            Self::Replaced(text) | Self::Merged(text) | Self::Added(text) => Some(Some(text)),
            Self::Settled(text) => Some(text.as_deref()),
            Self::Removed => Some(None),
            Self::Open(_) => None,
        }
    }
}

impl Upgrade {
    /// Whether everything is settled.
    pub fn is_settled(&self) -> bool {
        self.files.values().all(|outcome| outcome.text().is_some())
    }

    /// Whether it would lead back to an older version.
    pub fn is_older(&self) -> bool {
        self.from.iter().any(|from| is_older(&self.to, from))
    }

    /// The text of each file that changes; none if it goes.
    pub fn texts(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let files = self.files.iter();
        files
            .filter_map(|(path, outcome)| Some((&**path, outcome.text()?)))
            .filter(|(path, text)| self.before.get(*path).map(String::as_str) != *text)
    }
}

/// What becomes of the copies in a project when they meet the originals as they are now, or the
/// files that stand in place of these.
pub fn upgrade(
    source: &Source<'_>,
    project: &str,
    newer: Option<&BTreeMap<String, String>>,
    settled: &Settled,
) -> Result<Upgrade, Refused> {
    let copies = copies(source.lock, project);
    if copies.is_empty() {
        return Err(not_a_copy(source, project));
    }
    let of = source.lock.cloned_from(project).unwrap_or(project);
    let mut theirs = Theirs {
        source,
        of,
        newer,
        names: Names::default(),
    };
    let fresh = theirs.fresh_tables(project, &copies);
    theirs.names = theirs.names(&copies, &fresh);
    let mut upgrade = Upgrade {
        project: project.to_owned(),
        of: of.to_owned(),
        from: versions(&copies),
        to: theirs.version()?,
        files: BTreeMap::new(),
        without_base: BTreeSet::new(),
        before: BTreeMap::new(),
        bases: BTreeMap::new(),
        lock: source.lock.clone(),
        state: String::new(),
    };
    let mut meetings = Vec::new();
    for (path, origin) in &copies {
        // A file that was removed, so that the bundled one counts again, is no copy any more.
        if origin.of == **path && !source.own.contains_key(*path) {
            upgrade.lock.files.remove(*path);
            continue;
        }
        meetings.push(theirs.meet(path, &origin.of, source.bases.get(&origin.hash)));
    }
    if of != project {
        let known: BTreeSet<&str> = copies.values().map(|origin| &*origin.of).collect();
        meetings.extend(theirs.new_files(project, &known));
        meetings.extend(theirs.new_tables(&fresh, &copies));
    }
    upgrade.state = state(&meetings);
    upgrade.settle(meetings, settled, &fresh)?;
    let files = upgrade.files.keys();
    let without_base = files.filter(|path| {
        let origin = copies.get(path);
        origin.is_some_and(|origin| !source.bases.contains_key(&origin.hash))
    });
    upgrade.without_base = without_base.cloned().collect();
    upgrade.wire(source, &fresh)?;
    Ok(upgrade)
}

/// What is recorded of the copies in a project, its own tables with them.
pub fn copies<'a>(lock: &'a Lock, project: &str) -> BTreeMap<&'a String, &'a Origin> {
    let inside = format!("recipes/{project}/");
    let cloned_from = lock.cloned_from(project);
    let is_table = |path: &str, origin: &Origin| {
        let role = table_of(&origin.of);
        let own = cloned_from
            .zip(role)
            .map(|(of, role)| own_table(of, project, role));
        own.is_some() && own.as_deref() == table_of(path)
    };
    let files = lock.files.iter();
    files
        .filter(|(path, origin)| path.starts_with(&inside) || is_table(path, origin))
        .collect()
}

/// The versions that copies are of, as far as their projects state any.
fn versions(copies: &BTreeMap<&String, &Origin>) -> BTreeSet<String> {
    let stated = copies.values().map(|origin| &origin.version);
    stated
        .filter(|version| !version.is_empty())
        .cloned()
        .collect()
}

/// Why there is nothing to upgrade.
fn not_a_copy(source: &Source<'_>, project: &str) -> Refused {
    let inside = format!("recipes/{project}/");
    if source.own.keys().any(|path| path.starts_with(&inside)) {
        let message = format!(
            "recipes.lock does not say what `{project}` is a copy of: put recipes.lock and \
             recipes/.base back, from your version control for instance. A project that you wrote \
             yourself has nothing to be upgraded to"
        );
        return refused("no_copies", message);
    }
    if source.bundled.keys().any(|path| path.starts_with(&inside)) {
        let message = format!(
            "nothing of `{project}` is customised here: it comes with the program, and is upgraded \
             with it"
        );
        return refused("no_copies", message);
    }
    let known: BTreeSet<&str> = source
        .lock
        .files
        .keys()
        .map(|path| project_of(path))
        .collect();
    let help = crate::diagnostic::did_you_mean(project, known)
        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    refused(
        "not_found",
        format!("there is no project `{project}`{help}"),
    )
}

impl Upgrade {
    fn settle(
        &mut self,
        meetings: Vec<Meeting>,
        settled: &Settled,
        fresh: &BTreeMap<String, String>,
    ) -> Result<(), Refused> {
        let nothing = Settled::default();
        let first = meetings.iter().map(|one| (one, one.outcome(&nothing)));
        let first: Vec<(&Meeting, Option<Outcome>)> = first.collect();
        let open = first.iter().filter_map(|(one, outcome)| match outcome {
            Some(Outcome::Open(clash)) => Some((&*one.path, &*clash.conflicts)),
            _ => None,
        });
        let changed = first.iter().filter(|(_, outcome)| outcome.is_some());
        let mut changed: BTreeSet<&str> = changed.map(|(one, _)| &*one.path).collect();
        // New tables are named there.
        let wired = project_file(&self.project);
        changed.extend((!fresh.is_empty()).then_some(&*wired));
        settled.check(&open.collect(), &changed)?;
        for meeting in &meetings {
            let edited = settled.texts.get(&meeting.path);
            let outcome = match edited {
                Some(text) => Some(Outcome::Settled(Some(text.clone()))),
                None => meeting.outcome(settled),
            };
            self.note(meeting, outcome);
        }
        Ok(())
    }

    /// Names own tables in the copy's project file, unless that is still open.
    fn wire(
        &mut self,
        source: &Source<'_>,
        tables: &BTreeMap<String, String>,
    ) -> Result<(), Refused> {
        let path = project_file(&self.project);
        let now = source.own.get(&path);
        let text = match self.files.get(&path) {
            Some(outcome) => outcome.text().flatten(),
            None => now.map(String::as_str),
        };
        let (false, Some(text)) = (tables.is_empty(), text) else {
            return Ok(());
        };
        let Some(written) = wired(text, tables) else {
            return Err(cannot_wire(&path, tables));
        };
        if written != text {
            let now = now.cloned();
            self.before.extend(now.map(|text| (path.clone(), text)));
            self.files.insert(path, Outcome::Merged(written));
        }
        Ok(())
    }

    fn note(&mut self, meeting: &Meeting, outcome: Option<Outcome>) {
        let path = &meeting.path;
        match &meeting.original {
            Some(text) => {
                let hash = digest(text.as_bytes());
                let origin = Origin {
                    of: meeting.of.clone(),
                    version: self.to.clone(),
                    hash: hash.clone(),
                };
                self.lock.files.insert(path.clone(), origin);
                self.bases.insert(hash, text.clone());
            }
            // What has no original any more is a file like any other.
            None => {
                self.lock.files.remove(path);
            }
        }
        if let Some(outcome) = outcome {
            let mine = meeting.mine.clone();
            self.before.extend(mine.map(|text| (path.clone(), text)));
            self.files.insert(path.clone(), outcome);
        }
    }
}
