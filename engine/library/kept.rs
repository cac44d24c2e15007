//! Copies of which nothing is recorded any more.
//!
//! In: the texts that copies were made of, and a library. Out: the recipes that are like one of
//! those texts although `recipes.lock` says nothing of their project.
//! Always true: what is recorded is not guessed; a kept text that was changed since does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Library;
use super::copies::project_of;
use super::files::{bundled, bytes_max};
use crate::data::digest;
use crate::diagnostic::{Report, Severity, Span};
use crate::names::RecipeName;
use crate::origin::{BASES, FILE, codes};

/// Shorter lines are in every recipe.
const LINE_CHARS_MIN: usize = 8;

/// The texts that copies were made of, by hash.
pub(super) type Kept = BTreeMap<String, Arc<str>>;

/// The kept texts of a workspace.
pub(super) fn read(workspace: &Path) -> Kept {
    let mut kept = Kept::new();
    let entries = fs::read_dir(workspace.join(BASES));
    for entry in entries.into_iter().flatten().flatten() {
        let is_small = entry
            .metadata()
            .is_ok_and(|about| about.is_file() && about.len() <= bytes_max(BASES) as u64);
        if let (true, Ok(text)) = (is_small, fs::read_to_string(entry.path())) {
            let hash = digest(text.as_bytes());
            if *entry.file_name() == *format!("{hash}.yaml") {
                kept.insert(hash, text.into());
            }
        }
    }
    kept
}

/// The recipes that nothing is recorded of, and that are made of a kept text by all appearance,
/// with the file that this was the text of.
pub(super) fn unrecorded(library: &Library) -> BTreeMap<RecipeName, String> {
    let mut found = BTreeMap::new();
    let kept = library.kept.iter().flat_map(|kept| kept.iter());
    let kept = Likeness::of(kept.map(|(hash, text)| (hash.as_str(), &**text)));
    if kept.texts.is_empty() || is_lock_broken(library) {
        return found;
    }
    // Of an original, too, it is recorded that it is one.
    let paths = library.lock.files.iter();
    let paths = paths.flat_map(|(path, origin)| [path.as_str(), origin.of.as_str()]);
    let recorded: BTreeSet<&str> = paths.filter_map(project_of).collect();
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (name, written) in &library.written {
        if written.is_bundled || recorded.contains(name.project()) {
            continue;
        }
        if let Some(hash) = kept.most_like(&written.text) {
            let file = files.entry(hash).or_insert_with(|| file_of(library, hash));
            found.insert(name.clone(), file.clone());
        }
    }
    found
}

/// The file that a kept text was the text of, as far as that can be told; else its hash.
fn file_of(library: &Library, hash: &str) -> String {
    let mut recorded = library.lock.files.values();
    if let Some(origin) = recorded.find(|origin| origin.hash == hash) {
        return origin.of.clone();
    }
    let kept = library.kept.as_ref().and_then(|kept| kept.get(hash));
    let files = bundled();
    let texts = files.iter().filter_map(|(path, found)| {
        let bytes = found.bytes.as_ref().ok()?;
        Some((path.as_str(), std::str::from_utf8(bytes).ok()?))
    });
    let bundled = Likeness::of(texts);
    let like = kept.and_then(|text| bundled.most_like(text));
    like.unwrap_or(hash).to_owned()
}

/// Says of which projects nothing is recorded although they are copies, and which copies the texts
/// are missing of that they were made of.
pub(super) fn judge(library: &Library) -> Vec<Report> {
    let mut reports = Vec::new();
    let mut projects: BTreeMap<&str, Vec<&RecipeName>> = BTreeMap::new();
    for name in library.unrecorded.keys() {
        projects.entry(name.project()).or_default().push(name);
    }
    for (project, names) in &projects {
        let Some(written) = names.first().and_then(|name| library.written.get(*name)) else {
            continue;
        };
        let recipes = match names.len() {
            1 => "a recipe of it is".to_owned(),
            count => format!("{count} recipes of it are"),
        };
        let message = format!(
            "recipes.lock says nothing of `{project}`, although {recipes} like texts in {BASES}, which \
             copies were made of"
        );
        let mut report = Report::of(&written.file);
        report
            .warning(codes::NOT_RECORDED, Span::default(), message)
            .help(
                "put recipes.lock back, from your version control for instance; until then copies \
                 are told by their likeness alone, and this one cannot be upgraded",
            );
        reports.push(report);
    }
    let kept = library.kept.as_ref().map_or(0, |kept| kept.len());
    if projects.is_empty() && kept > 0 && !library.texts.contains_key(FILE) {
        let mut report = Report::of(&Arc::from(FILE));
        let message =
            format!("there is no recipes.lock, although {BASES} keeps what copies were made of");
        report
            .warning(codes::NOT_RECORDED, Span::default(), message)
            .help(
                "put recipes.lock back, from your version control for instance; if no copy is left, \
                 remove recipes/.base",
            );
        reports.push(report);
    }
    reports.extend(without_base(library));
    reports
}

/// Says once for a project that the texts are missing which its copies were made of.
fn without_base(library: &Library) -> Option<Report> {
    let kept = library.kept.as_ref()?;
    let missing = library.lock.files.iter().filter(|(path, origin)| {
        !kept.contains_key(&origin.hash) && library.texts.contains_key(path.as_str())
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, _) in missing {
        *counts.entry(project_of(path)?).or_default() += 1;
    }
    let mut report = Report::of(&Arc::from(FILE));
    for (project, count) in counts {
        let files = match count {
            1 => "a file".to_owned(),
            count => format!("{count} files"),
        };
        let message = format!("{BASES} does not have what {files} of `{project}` were made of");
        report
            .warning(codes::BASE_IS_GONE, Span::default(), message)
            .help(
                "put recipes/.base back, from your version control for instance; without it, an \
                 upgrade asks about every file that differs from the original as a whole",
            );
    }
    Some(report)
}

fn is_lock_broken(library: &Library) -> bool {
    let mut found = library.diagnostics_of(FILE);
    found.any(|found| found.severity == Severity::Error)
}

/// Texts by their lines.
struct Likeness<'a> {
    texts: BTreeMap<&'a str, usize>,
    lines: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Likeness<'a> {
    fn of(texts: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut likeness = Self {
            texts: BTreeMap::new(),
            lines: BTreeMap::new(),
        };
        for (name, text) in texts {
            let lines = lines(text);
            likeness.texts.insert(name, lines.len());
            for line in lines {
                likeness.lines.entry(line).or_default().insert(name);
            }
        }
        likeness
    }

    /// The text that has most lines in common with this one, if that is half of the longer one.
    fn most_like(&self, text: &str) -> Option<&'a str> {
        let lines = lines(text);
        let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
        for names in lines.iter().filter_map(|line| self.lines.get(line)) {
            for name in names {
                *shared.entry(name).or_default() += 1;
            }
        }
        let (name, count) = shared.into_iter().max_by_key(|(_, count)| *count)?;
        let longer = lines.len().max(*self.texts.get(name)?);
        (count * 2 >= longer).then_some(name)
    }
}

/// The lines of a text that tell it from others.
fn lines(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| line.len() >= LINE_CHARS_MIN && !line.starts_with('#'))
        .collect()
}
