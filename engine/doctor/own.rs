//! A project's own checks: a recipe that looks at the vendors and tells what it found.
//!
//! In: the project's doctor. Out: how it ran, as a preview; its output as findings.
//! Always true: what only reads is asked, everything else is withheld; without the connections
//! that it needs nobody is asked; why nobody was asked is a finding.

use std::sync::Arc;

use crate::data::Value;
use crate::journal::Ending;
use crate::names::RecipeName;
use crate::preview::{Limits, Preview, preview};
use crate::step::Calls;
use crate::store::Jobs;
use crate::trigger::{Given, Intake, Refusal};

use super::{Finding, Level, Patient, Section, Topic, Trouble, advice};

/// What came of asking.
pub enum Asked {
    /// The project has no checks of its own.
    NoDoctor,
    /// Nobody was asked, for this reason.
    NotAsked(Finding),
    /// The doctor ran; its end is the last word.
    Ran(Box<Preview>, Option<Box<Ending>>),
}

/// Runs a project's own checks, in a person's name.
pub async fn ask(
    house: &Intake,
    calls: Arc<dyn Calls>,
    project: &str,
    by: &str,
) -> Result<Asked, Trouble> {
    let patient = Patient::of(house, project)?;
    let Some(doctor) = &patient.project.doctor else {
        return Ok(Asked::NoDoctor);
    };
    if let Some(finding) = hindrance(house, doctor).await? {
        return Ok(Asked::NotAsked(finding));
    }
    let ran = preview(house, calls, doctor, Given::Nothing, by, Limits::default()).await;
    let shown = match ran {
        Ok(shown) => shown,
        Err(refusal) => return Ok(Asked::NotAsked(refused(&refusal))),
    };
    let ending = match shown.jobs.first() {
        Some(id) => {
            let (record, _, _) = shown.intake.store.job(id).await?;
            record.ending
        }
        None => None,
    };
    Ok(Asked::Ran(Box::new(shown), ending.map(Box::new)))
}

/// The section of a project whose vendors are to be left alone.
pub fn left_alone(house: &Intake, project: &str) -> Result<Section, Trouble> {
    let patient = Patient::of(house, project)?;
    let well = match patient.project.doctor {
        Some(_) => "left out: they need the vendors, which are left alone (`--offline`)",
        None => "it has none",
    };
    Ok(Section::of(Topic::Own, Vec::new(), well))
}

/// What came of asking, as a section; `mask` takes out of texts what must not be shown.
pub fn of_output(asked: &Asked, mask: &dyn Fn(&str) -> String) -> Section {
    let findings = match asked {
        Asked::NoDoctor => return Section::of(Topic::Own, Vec::new(), "it has none"),
        Asked::NotAsked(finding) => vec![finding.clone()],
        Asked::Ran(shown, ending) => {
            let output = ending.as_ref().and_then(|ending| ending.output.as_ref());
            let mut findings: Vec<Finding> = output
                .and_then(|output| output.get("findings")?.as_array())
                .into_iter()
                .flatten()
                .filter_map(|finding| of_value(finding, mask))
                .collect();
            if output.is_none() {
                findings.push(without_output(shown, ending.as_deref(), mask));
            }
            findings
        }
    };
    Section::of(Topic::Own, findings, "all is well")
}

/// What keeps the doctor from running.
async fn hindrance(house: &Intake, doctor: &RecipeName) -> Result<Option<Finding>, Trouble> {
    let start = house
        .shelf
        .check_start(doctor, &house.store, &*house.references)
        .await?;
    Ok(start.errors.first().map(|first| {
        Finding::warning(
            format!("the vendors were not asked: {}", first.message),
            "mend what is named above, then look again",
        )
    }))
}

fn refused(refusal: &Refusal) -> Finding {
    Finding::warning(
        format!("the vendors were not asked: {refusal}"),
        "look again in a while",
    )
}

fn without_output(
    shown: &Preview,
    ending: Option<&Ending>,
    mask: &dyn Fn(&str) -> String,
) -> Finding {
    let failure = ending.and_then(|ending| ending.failure.as_ref());
    let why = match (&shown.cut, failure) {
        (Some(cut), _) => cut.to_string(),
        (None, Some(failure)) => mask(&failure.message),
        (None, None) => "they did not come to an end".to_owned(),
    };
    let help = failure.and_then(|failure| advice(&failure.code, None));
    let help = help.unwrap_or_else(|| match shown.cut {
        Some(_) => "look again when the vendors answer faster".to_owned(),
        None => "`recipes connections check` says whether the vendors answer".to_owned(),
    });
    Finding::error(format!("the checks could not be made: {why}"), help)
}

/// A finding as a doctor gives it. If it tells the `code` of a call's failure, what to do follows
/// that; its own help is for failures whose reason the vendor alone knows.
fn of_value(finding: &Value, mask: &dyn Fn(&str) -> String) -> Option<Finding> {
    let word = |name: &str| finding.get(name).and_then(Value::as_str);
    let text = |name: &str| word(name).map(mask);
    let by_kind = word("code").and_then(|code| advice(code, word("connection")));
    let own = || text("help").filter(|help| !help.is_empty());
    Some(Finding {
        level: Level::of(word("level")?)?,
        text: text("text")?,
        help: by_kind.or_else(own),
    })
}
