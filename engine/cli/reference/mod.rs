//! The pages of the reference: prose by hand, with tables that the program fills in.
//!
//! In: the pages of `schemas/` as they were when the program was built. Out: the same pages with
//! every generated part made anew.
//! Always true: what stands between `<!-- generated: NAME -->` and `<!-- end -->` is made from the
//! grammars, helpers and codes that the program itself uses; all else is left as it is.

use std::fmt::Write;

use anyhow::{Context, bail};

use super::explain::explanations;
use crate::connector::CONNECTOR;
use crate::expression::helpers;
use crate::form::describe;
use crate::recipe::{PROJECT, RECIPE, SAYS};
use crate::table::TABLE;
use crate::trial::TEST;

/// The pages as they stand in the repository.
const PAGES: [(&str, &str); 4] = [
    ("recipe.md", include_str!("../../../schemas/recipe.md")),
    (
        "connector.md",
        include_str!("../../../schemas/connector.md"),
    ),
    (
        "lookup-table.md",
        include_str!("../../../schemas/lookup-table.md"),
    ),
    (
        "diagnostics.md",
        include_str!("../../../schemas/diagnostics.md"),
    ),
];

/// How a generated part begins, and the line that ends it.
const BEGIN: (&str, &str) = ("<!-- generated: ", " -->");
const END: &str = "<!-- end -->";

/// What the codes of the engine are about, by their beginning.
const GROUPS: [(&str, &str); 8] = [
    ("R0", "Files and recipes"),
    ("R09", "Lookup tables"),
    ("R1", "Values, templates, paths and conditions"),
    ("R15", "Types"),
    ("R2", "Connectors and connections"),
    ("R3", "Recipe tests"),
    ("S0", "Starting and running a recipe"),
    ("", "Others"),
];

/// All pages with their file names.
pub(super) fn pages() -> anyhow::Result<Vec<(&'static str, String)>> {
    let page = |(name, text): (&'static str, &str)| {
        let filled = filled(text).with_context(|| format!("the page `{name}`"))?;
        Ok((name, filled))
    };
    PAGES.into_iter().map(page).collect()
}

/// A page with its generated parts made anew.
fn filled(page: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(name) = line
            .strip_prefix(BEGIN.0)
            .and_then(|rest| rest.strip_suffix(BEGIN.1))
        else {
            continue;
        };
        if !lines.any(|line| line == END) {
            bail!("`{name}` has no `{END}`");
        }
        let _ = write!(text, "\n{}\n\n{END}\n", part(name)?);
    }
    Ok(text)
}

/// One generated part.
fn part(name: &str) -> anyhow::Result<String> {
    Ok(match name {
        "recipe" => describe(&RECIPE),
        "project" => describe(&PROJECT),
        "says" => describe(&SAYS),
        "recipe test" => describe(&TEST),
        "lookup table" => describe(&TABLE),
        "connector" => describe(&CONNECTOR),
        "helpers" => helper_tables(),
        "codes" => code_list(),
        _ => bail!("there is no generated part `{name}`"),
    })
}

/// A table of helpers for each subject.
fn helper_tables() -> String {
    let mut text = String::new();
    let mut subject = "";
    for helper in helpers() {
        if helper.subject != subject {
            subject = helper.subject;
            let _ = write!(
                text,
                "\n**{subject}**\n\n| helper | what it does | example |\n|---|---|---|\n"
            );
        }
        let call = [&[helper.name.to_owned()], &helper.parameters[..]]
            .concat()
            .join(" ");
        let example = helper.example.replace('|', "\\|");
        let _ = writeln!(text, "| `{call}` | {} | `{example}` |", helper.doc);
    }
    text.trim().to_owned()
}

/// All codes by what they are about.
fn code_list() -> String {
    let mut text = String::new();
    let mut group = None;
    for explanation in explanations() {
        let code = explanation.code.0;
        let own = group_of(code);
        if group != Some(own) {
            group = Some(own);
            let _ = write!(text, "## {own}\n\n");
        }
        let _ = write!(
            text,
            "### {code}\n\n**{}**\n\n{}\n\n",
            explanation.title, explanation.text
        );
    }
    text.trim_end().to_owned()
}

fn group_of(code: &str) -> &'static str {
    let fits = GROUPS.iter().filter(|(start, _)| code.starts_with(start));
    fits.max_by_key(|(start, _)| start.len())
        .map_or("Others", |(_, title)| title)
}
