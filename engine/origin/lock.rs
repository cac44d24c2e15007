//! `recipes.lock`: what each copied file was made of.
//!
//! In: the file's document. Out: a [`Lock`]; and the text of one.
//! Always true: reading what was written gives the same; nothing of it leads out of the workspace.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::codes;
use crate::diagnostic::Report;
use crate::form::{self, Form, Key, Kind, Naming};
use crate::source::{Document, Node};

/// The file, below the workspace.
pub const FILE: &str = "recipes.lock";

/// The folder with the texts that copies were made of, below the workspace.
pub const BASES: &str = "recipes/.base";

/// The lock file.
static LOCK: Form = Form {
    name: "lock",
    doc: "What copied files were made of; written by `recipes clone` and `recipes customise`.",
    keys: &[Key::new(
        "files",
        Kind::Map(Naming::Free, &Kind::Form(&ORIGIN)),
        "The copied files by path.",
    )],
    variants: &[],
};

/// What is recorded of a file.
static ORIGIN: Form = Form {
    name: "origin",
    doc: "What a copied file was made of.",
    keys: &[
        Key::required("of", Kind::Text, "The path of the file it was made of."),
        Key::required("version", Kind::Text, "The version of that file's project."),
        Key::required(
            "hash",
            Kind::Text,
            "The SHA-256 of the text it was made of.",
        ),
    ],
    variants: &[],
};

/// What the copied files of a workspace were made of, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The origin of each copied file.
    pub files: BTreeMap<String, Origin>,
}

/// What a copied file was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The path of the file it was made of.
    pub of: String,
    /// The version of that file's project.
    pub version: String,
    /// The SHA-256 of the text it was made of.
    pub hash: String,
}

/// Where the text of this hash is kept, below the workspace.
pub fn base_path(hash: &str) -> String {
    format!("{BASES}/{hash}.yaml")
}

/// Whether a path names a file that a project or a lookup table may have, wherever a workspace is.
pub fn is_inside(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let is_plain = |part: &&str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.starts_with('.') && !part.is_empty() && part.chars().all(is_word)
    };
    let stands_right = matches!(
        parts[..],
        ["lookup-tables", _] | ["recipes", _, _] | ["recipes", _, "tests", _]
    );
    let is_read = path.ends_with(".yaml") || path.ends_with("/README.md");
    stands_right && is_read && parts.iter().all(is_plain)
}

/// Whether a text may be the SHA-256 of another.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A text between quotes, as YAML has it: what cannot be seen is written by its number.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ => drop(write!(quoted, "\\U{:08x}", u32::from(c))),
        }
    }
    quoted + "\""
}

impl Lock {
    /// Takes a document in as the lock file; entries that are not whole are left out and reported.
    pub fn read(document: &Document) -> (Self, Report) {
        let mut report = Report::of(&document.file);
        form::check(&document.root, &LOCK, &mut report);
        let files = document.root.get("files").and_then(Node::as_map);
        let files = files.unwrap_or_default().iter().filter_map(|(path, node)| {
            let text = |key: &str| Some(node.get(key)?.as_text()?.to_string());
            let origin = Origin {
                of: text("of")?,
                version: text("version")?,
                hash: text("hash")?,
            };
            if !is_inside(&path.text) || !is_inside(&origin.of) || !is_hash(&origin.hash) {
                let message = format!(
                    "the entry of `{}` is none that the program wrote",
                    path.text
                );
                report
                    .error(codes::WRONG_ENTRY, path.span, message)
                    .help("put recipes.lock back as it was, or take the entry out");
                return None;
            }
            Some((path.text.to_string(), origin))
        });
        let lock = Self {
            files: files.collect(),
        };
        (lock, report)
    }

    /// The lock file's text.
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# What copied files were made of. Written by the program; keep it, and recipes/.base, in git.\n\
             files:\n",
        );
        for (path, origin) in &self.files {
            let _ = write!(
                text,
                "  {path}:\n    of: {}\n    version: {}\n    hash: \"{}\"\n",
                origin.of,
                quoted(&origin.version),
                origin.hash
            );
        }
        text
    }

    /// The project that a project was cloned from: the one that most of its files are of.
    pub fn cloned_from(&self, project: &str) -> Option<&str> {
        let inside = format!("recipes/{project}/");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (path, origin) in &self.files {
            let of = origin.of.strip_prefix("recipes/");
            if let (true, Some((from, _))) = (
                path.starts_with(&inside),
                of.and_then(|of| of.split_once('/')),
            ) {
                *counts.entry(from).or_default() += 1;
            }
        }
        counts.remove(project);
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(from, _)| from)
    }
}
