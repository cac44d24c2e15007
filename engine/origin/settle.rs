//! What a person says about conflicts.
//!
//! In: choices of a side, edited texts. Out: which side holds for a part of a file.
//! Always true: the narrower choice counts, and of two alike the later; a choice that settles
//! nothing is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::clone::{Refused, refused};
use super::merge::{Conflict, Side};
use crate::diagnostic::did_you_mean;

/// One side holds: for a part, for a file, or wherever nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which one.
    pub side: Side,
    /// In which file: its path, or what follows the project's folder in it.
    pub file: Option<String>,
    /// For which part of the file.
    pub part: Option<String>,
}

/// All that a person said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Which sides hold.
    pub choices: Vec<Choice>,
    /// The text of files that were edited by hand, by path.
    pub texts: BTreeMap<String, String>,
}

/// What stands before, between and behind the sides in a text that was merged by a program. The
/// line between the last two is none of them: in a page it may underline a heading.
const MARKS: [&str; 3] = ["<<<<<<<", "|||||||", ">>>>>>>"];

impl Choice {
    fn means(&self, path: &str, part: &str) -> bool {
        let of_file = self.file.as_ref();
        of_file.is_none_or(|file| names(file, path))
            && self.part.as_ref().is_none_or(|wanted| wanted == part)
    }

    fn narrowness(&self) -> usize {
        usize::from(self.file.is_some()) + usize::from(self.part.is_some())
    }
}

/// Whether a file is named by its path or by the end of it.
fn names(file: &str, path: &str) -> bool {
    let rest = path.strip_suffix(file);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

fn not_changed(path: &str, changed: &BTreeSet<&str>) -> Refused {
    let help = did_you_mean(path, changed.iter().copied())
        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let message = format!(
        "the upgrade does not change `{path}`, so no edited text of it is taken: edit that file \
         where it stands, before or after{help}"
    );
    refused("not_in_plan", message)
}

impl Settled {
    /// The side that holds for a part of a file.
    pub(super) fn side(&self, path: &str, part: &str) -> Option<Side> {
        let meant = self.choices.iter().filter(|one| one.means(path, part));
        meant.max_by_key(|one| one.narrowness()).map(|one| one.side)
    }

    /// Refuses choices for what is in no conflict, and texts of files that do not change.
    pub(super) fn check(
        &self,
        open: &BTreeMap<&str, &[Conflict]>,
        changed: &BTreeSet<&str>,
    ) -> Result<(), Refused> {
        let places: Vec<(&str, &str)> = open
            .iter()
            .flat_map(|(path, open)| open.iter().map(|one| (*path, &*one.part)))
            .collect();
        for choice in self.choices.iter().filter(|one| one.narrowness() > 0) {
            if places.iter().any(|(path, part)| choice.means(path, part)) {
                continue;
            }
            let file = choice.file.as_deref().unwrap_or_default();
            let known = places.iter().filter(|(path, _)| names(file, path));
            let message = match (&choice.part, known.map(|(_, part)| *part).collect()) {
                (Some(part), parts) if !Vec::is_empty(&parts) => {
                    let help = did_you_mean(part, parts.iter().copied()).map_or_else(
                        || format!("; there is one in {}", parts.join(", ")),
                        |meant| format!("; did you mean `{meant}`?"),
                    );
                    format!("there is no conflict in `{part}` of {file}{help}")
                }
                _ => {
                    let known = open.keys().copied();
                    let help = did_you_mean(file, known)
                        .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                    format!("there is no conflict in `{file}`{help}")
                }
            };
            return Err(refused("no_such_conflict", message));
        }
        let mut edited = self.texts.keys().map(String::as_str);
        match edited.find(|path| !changed.contains(path)) {
            Some(path) => Err(not_changed(path, changed)),
            None => self.check_marks(),
        }
    }

    /// Refuses texts in which both sides still stand.
    fn check_marks(&self) -> Result<(), Refused> {
        for (path, text) in &self.texts {
            let is_page = path.ends_with(".md");
            let is_mark = |line: &str| {
                let begins = MARKS.iter().any(|mark| line.starts_with(mark));
                begins || (!is_page && line.starts_with("======="))
            };
            let mark = (1..).zip(text.lines()).find(|(_, line)| is_mark(line));
            if let Some((number, line)) = mark {
                let message = format!(
                    "line {number} of the edited {path} is still `{line}`: leave of each marked \
                     stretch what shall be, and take the marks out"
                );
                return Err(refused("not_settled", message));
            }
        }
        Ok(())
    }
}
