//! `recipes graph`: which recipe of a project calls which.
//!
//! Always true: what is printed is taken from the files, mistaken ones included.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::{Ended, library, say, show};
use crate::api::call_graph;
use crate::compile::Catalogue;
use crate::diagnostic::did_you_mean;
use crate::library::Library;
use crate::names::RecipeName;

/// Prints which recipes of a project call which
#[derive(Args, Debug)]
pub(super) struct Graph {
    /// The project: a folder below recipes/
    project: String,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print JSON
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree for people
    Text,
    /// A Mermaid diagram
    Mermaid,
}

impl Graph {
    pub(super) fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let library = library(workspace)?;
        let doctor = library.catalogue.projects.get(&self.project);
        let doctor = doctor.and_then(|project| project.doctor.as_ref());
        // A project's doctor looks at it from outside.
        let names: Vec<&RecipeName> = library
            .written
            .keys()
            .filter(|name| name.project() == self.project && Some(*name) != doctor)
            .collect();
        if names.is_empty() {
            let known: BTreeSet<&str> = library.written.keys().map(RecipeName::project).collect();
            let meant = did_you_mean(&self.project, known.iter().copied());
            let help = meant.map_or_else(
                || format!("; there are {}", Vec::from_iter(known).join(", ")),
                |meant| format!("; did you mean `{meant}`?"),
            );
            bail!("there is no project `{}`{help}", self.project);
        }
        if self.json {
            show::json(&call_graph(&library, &self.project, &names))?;
            return Ok(Ended::Well);
        }
        say(&match self.format {
            Format::Text => tree(&library, &names),
            Format::Mermaid => mermaid(&library, &names),
        })?;
        Ok(Ended::Well)
    }
}

/// The recipes that a recipe calls, each once, in the order of the file.
fn called<'a>(catalogue: &'a Catalogue, name: &RecipeName) -> Vec<&'a RecipeName> {
    let mut called: Vec<&RecipeName> = Vec::new();
    let calls = catalogue
        .signatures
        .get(name)
        .map(|signature| &signature.calls[..]);
    for (callee, _) in calls.unwrap_or_default() {
        if !called.contains(&callee) {
            called.push(callee);
        }
    }
    called
}

fn tree(library: &Library, names: &[&RecipeName]) -> String {
    let catalogue = &library.catalogue;
    let all_called: BTreeSet<&RecipeName> = names
        .iter()
        .flat_map(|name| called(catalogue, name))
        .collect();
    let mut out = String::new();
    let mut shown = BTreeSet::new();
    let project = names.first().map_or("", |name| name.project());
    let tops = names.iter().filter(|name| !all_called.contains(**name));
    for name in tops {
        branch(library, project, name, ("", ""), &mut shown, &mut out);
    }
    // Recipes in a circle are called by one another and by nobody else.
    for name in names {
        if !shown.contains(name) {
            branch(library, project, name, ("", ""), &mut shown, &mut out);
        }
    }
    out
}

/// One recipe and, indented, what it calls; what was shown in full before is cut short.
fn branch<'a>(
    library: &'a Library,
    project: &str,
    name: &'a RecipeName,
    (first, rest): (&str, &str),
    shown: &mut BTreeSet<&'a RecipeName>,
    out: &mut String,
) {
    let signature = library.catalogue.signatures.get(name);
    let trigger = signature.map_or("missing", |signature| &*signature.trigger);
    let callees = called(&library.catalogue, name);
    let is_repeated = !shown.insert(name) && !callees.is_empty();
    let more = if is_repeated { " ..." } else { "" };
    let is_own = name.project() == project;
    let short = if is_own { name.name() } else { name.as_str() };
    let _ = writeln!(out, "{first}{short} ({trigger}){more}");
    if is_repeated {
        return;
    }
    let last = callees.len().saturating_sub(1);
    for (number, callee) in callees.into_iter().enumerate() {
        let (here, below) = if number == last {
            ("`-- ", "    ")
        } else {
            ("|-- ", "|   ")
        };
        let margins = (format!("{rest}{here}"), format!("{rest}{below}"));
        branch(
            library,
            project,
            callee,
            (&margins.0, &margins.1),
            shown,
            out,
        );
    }
}

fn mermaid(library: &Library, names: &[&RecipeName]) -> String {
    let mut nodes: Vec<&RecipeName> = names.to_vec();
    let mut arrows = String::new();
    for name in names {
        for callee in called(&library.catalogue, name) {
            let _ = writeln!(arrows, "  {} --> {}", id(name), id(callee));
            if !nodes.contains(&callee) {
                nodes.push(callee);
            }
        }
    }
    let mut out = String::from("graph LR\n");
    for name in nodes {
        let written = library.written.get(name);
        let title = written.and_then(|written| written.title.as_deref());
        let label = label(title.unwrap_or(name.as_str()));
        let _ = writeln!(out, "  {}[\"{label}\"]", id(name));
    }
    out + &arrows
}

/// A recipe's name as a node: with its project, so that it is none of Mermaid's own words, and
/// without the slash, which Mermaid would take for a part of the shape. Names have no underscores.
fn id(name: &RecipeName) -> String {
    name.as_str().replace('/', "__")
}

/// Text inside quotes, with what means something to Mermaid written as it wants it.
fn label(title: &str) -> String {
    let mut label = String::new();
    for letter in title.chars() {
        match letter {
            '"' => label.push_str("#quot;"),
            '#' => label.push_str("#35;"),
            '&' => label.push_str("#amp;"),
            '<' => label.push_str("#lt;"),
            '>' => label.push_str("#gt;"),
            '`' => label.push_str("#96;"),
            white if white.is_whitespace() => label.push(' '),
            other => label.push(other),
        }
    }
    label
}
