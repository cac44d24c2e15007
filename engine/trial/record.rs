//! A job that ran becomes a test.
//!
//! In: what a job was given, found and was answered, with stand-ins in place of what is not to be
//! told. Out: the text of a test file.
//! Always true: the text was read again and run, and the test held; what only one run can know, such
//! as a random key, is not expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::clock::Moment;
use crate::data::{Object, Value, is_blank};
use crate::diagnostic::{Place, Span};
use crate::journal::{Decision, Entry, EntryKey, EntryKind, Failure, JobStatus};
use crate::library::Shelf;
use crate::names::RecipeName;
use crate::source::parse;

use super::judge::judge;
use super::pretend::Told;
use super::renew::whole;
use super::run::{Aftermath, play};
use super::suite::{Case, Expect, ReplyKind, read};
use super::yaml::block;

/// Longer tests are nothing that people read.
const BYTES_MAX: usize = 512 * 1024;

/// The width that test files keep to.
const WIDTH: usize = 120;

/// Why a job cannot become a test, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRecorded(pub String);

/// What a job was given, found and was answered.
#[derive(Clone, Debug)]
pub struct Story {
    /// The recipe that it ran.
    pub recipe: RecipeName,
    /// What stands above the test, for its readers.
    pub about: String,
    /// What the test shows.
    pub title: String,
    /// When the job began.
    pub now: Moment,
    /// The root `trigger`, or null.
    pub event: Value,
    /// The root `input`.
    pub input: Value,
    /// Settings: integration, key, value.
    pub settings: Object,
    /// The rows of tables before, by the names that the recipe's project gives them.
    pub tables: BTreeMap<String, Vec<Object>>,
    /// What happened.
    pub entries: Vec<Entry>,
    /// How it ended.
    pub status: JobStatus,
    /// The code of its failure, if it failed.
    pub failure: Option<String>,
}

/// The text of a file with one test, which does what the job did.
pub async fn record(shelf: &Arc<Shelf>, story: &Story) -> Result<String, NotRecorded> {
    let told = Some(story.told());
    let first = play(shelf, &story.recipe, &story.case(), None, told).await;
    let first = first.map_err(NotRecorded)?;
    story.check(&first)?;
    let mut expect = story.expect(&first);
    // What two runs do not agree on is not expected; then they must.
    for _ in 0..2 {
        let text = story.text(&expect, &first.given);
        if text.len() > BYTES_MAX {
            let most = BYTES_MAX / 1024;
            return Err(NotRecorded(format!(
                "it would be longer than {most} KiB; record a job that had less to do"
            )));
        }
        let case = story.read(&text)?;
        let again = play(shelf, &story.recipe, &case, None, None).await;
        let again = again.map_err(NotRecorded)?;
        let problems = judge(&case.expect, &again);
        let Some(problem) = problems.first() else {
            return Ok(text);
        };
        let Some(Value::Object(agreed)) = both(&expect.into(), &story.expect(&again).into()) else {
            return Err(NotRecorded(problem.clone()));
        };
        expect = agreed;
    }
    Err(NotRecorded(
        "each run does something else, and a test must do the same each time".to_owned(),
    ))
}

impl Story {
    /// What its calls were answered, by their places.
    fn told(&self) -> Told {
        let mut told = Told::new();
        for entry in &self.entries {
            let kind = match &entry.kind {
                EntryKind::StepSucceeded { output } => ReplyKind::Output(output.clone()),
                EntryKind::DecisionMade {
                    decision: Decision::Happened { output },
                    ..
                } => ReplyKind::Output(output.clone()),
                EntryKind::StepFailed {
                    failure,
                    next_try_at,
                } => match (failure.status, next_try_at) {
                    // What is tried again must be answered by what the connector takes for that.
                    (Some(status), Some(_)) => ReplyKind::Http {
                        status,
                        headers: Object::new(),
                        body: failure.body.clone().unwrap_or_default(),
                    },
                    (None, Some(_)) => ReplyKind::Unknown(failure.message.clone()),
                    (_, None) => ReplyKind::Error(bare(failure)),
                },
                _ => continue,
            };
            told.insert(EntryKey::clone(&entry.key), kind);
        }
        told
    }

    /// The world before, with nothing expected but to see which tables change.
    fn case(&self) -> Case {
        let tables = self.tables.keys().map(|name| (name.clone(), Value::Null));
        Case {
            title: self.title.clone(),
            place: Place {
                file: self.file(),
                span: Span::default(),
            },
            now: self.now,
            input: self.input.clone(),
            event: Some(self.event.clone()).filter(|event| !event.is_null()),
            settings: self.settings.clone(),
            tables: self.rows(),
            replies: Vec::new(),
            survives_crashes: true,
            expect: Expect {
                status: self.status,
                output: None,
                error: None,
                requests: None,
                in_order: true,
                tables: tables.collect(),
                log: Vec::new(),
                written: Object::new(),
            },
        }
    }

    fn rows(&self) -> Object {
        let rows = |rows: &Vec<Object>| rows.iter().cloned().map(Value::Object).collect();
        let tables = self.tables.iter();
        tables
            .map(|(name, all)| (name.clone(), rows(all)))
            .collect()
    }

    /// Whether the run is that of the job.
    fn check(&self, after: &Aftermath) -> Result<(), NotRecorded> {
        if let Some(trouble) = after.troubles.first() {
            return Err(NotRecorded(format!(
                "{trouble}; its recipes may have changed since, or it worked together with other \
                 jobs"
            )));
        }
        let failure = failure_of(after);
        let code = failure.map(|failure| failure.code.clone());
        if after.status == self.status && code == self.failure {
            return Ok(());
        }
        let why = failure.map_or(String::new(), |failure| format!(" ({})", failure.message));
        Err(NotRecorded(format!(
            "it ended as {}, and run again from what is recorded, with stand-ins, it ends as {}{why}",
            self.status.as_str(),
            after.status.as_str()
        )))
    }

    /// What a test may expect of a run.
    fn expect(&self, after: &Aftermath) -> Object {
        let mut expect = Object::new();
        let failure = failure_of(after);
        let implied = match failure {
            Some(_) => JobStatus::Failed,
            None => JobStatus::Succeeded,
        };
        if after.status != implied {
            expect.insert("status".into(), after.status.as_str().into());
        }
        let ending = after.ending.as_ref();
        let output = ending.and_then(|ending| ending.output.clone());
        if let Some(output) = output.filter(|output| !is_blank(output)) {
            expect.insert("output".into(), output);
        }
        if let Some(failure) = failure {
            let error = json!({ "code": failure.code, "message": failure.message });
            expect.insert("error".into(), error);
        }
        let requests = after.requests.iter().map(whole).collect();
        expect.insert("requests".into(), requests);
        let before = self.rows();
        let is_changed = |(name, rows): &(&String, &Value)| {
            !rows.is_null() && before.get(*name).is_none_or(|before| before != *rows)
        };
        let changed = after.tables.iter().filter(is_changed);
        let changed: Object = changed
            .map(|(name, rows)| (name.clone(), rows.clone()))
            .collect();
        if !changed.is_empty() {
            expect.insert("tables".into(), changed.into());
        }
        expect
    }

    fn text(&self, expect: &Object, given: &[(String, ReplyKind)]) -> String {
        let mut case = Object::new();
        case.insert("title".into(), self.title.as_str().into());
        case.insert("now".into(), self.now.to_string().into());
        match self.event.is_null() {
            true if is_blank(&self.input) => {}
            true => drop(case.insert("input".into(), self.input.clone())),
            false => drop(case.insert("event".into(), self.event.clone())),
        }
        if !self.settings.is_empty() {
            case.insert("settings".into(), self.settings.clone().into());
        }
        if !self.tables.is_empty() {
            case.insert("tables".into(), self.rows().into());
        }
        let mut replies = Object::new();
        for (name, kind) in given {
            let list = replies
                .entry(name.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(reply(kind));
            }
        }
        if !replies.is_empty() {
            case.insert("replies".into(), replies.into());
        }
        case.insert("expect".into(), expect.clone().into());
        let file = json!({ "recipe": self.recipe.to_string(), "cases": [case] });
        let about: String = self
            .about
            .lines()
            .map(|line| format!("# {line}\n"))
            .collect();
        format!("{about}{}", block(&file, 0, WIDTH))
    }

    /// The test as it will be read from its file.
    fn read(&self, text: &str) -> Result<Case, NotRecorded> {
        let file = self.file();
        let (document, mut report) = parse(&file, text.as_bytes());
        let project = self.recipe.project();
        let suite = document.and_then(|document| read(&document, project, &mut report));
        let case = suite.and_then(|suite| suite.cases.into_iter().next());
        case.ok_or_else(|| {
            let findings = report.into_diagnostics();
            let why = findings.first().map(|found| found.message.clone());
            NotRecorded(why.unwrap_or_else(|| "it cannot be written as a test".to_owned()))
        })
    }

    fn file(&self) -> Arc<str> {
        format!("recipes/{}/tests/recorded.test.yaml", self.recipe.project()).into()
    }
}

fn failure_of(after: &Aftermath) -> Option<&Failure> {
    after.ending.as_ref()?.failure.as_ref()
}

/// A failure without the places in which it happened.
fn bare(failure: &Failure) -> Failure {
    Failure {
        status: failure.status,
        ..Failure::new(&failure.code, failure.message.clone())
    }
}

/// An answer as it is written.
fn reply(kind: &ReplyKind) -> Value {
    match kind {
        ReplyKind::Output(output) => json!({ "output": output }),
        ReplyKind::Http { status, body, .. } if body.is_null() => json!({ "status": status }),
        ReplyKind::Http { status, body, .. } => json!({ "status": status, "body": body }),
        ReplyKind::Error(failure) => match failure.status {
            Some(status) => json!({
                "error": { "code": failure.code, "message": failure.message, "status": status }
            }),
            None => json!({ "error": { "code": failure.code, "message": failure.message } }),
        },
        ReplyKind::Unknown(doubt) => json!({ "unknown": doubt }),
        ReplyKind::Applied(is_applied) => json!({ "applied": is_applied }),
    }
}

/// What two values have in common: fields that differ are left out, lists must be as long.
fn both(one: &Value, other: &Value) -> Option<Value> {
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (Value::Object(one), Value::Object(other)) => {
            let common = |(name, value): (&String, &Value)| {
                Some((name.clone(), both(value, other.get(name)?)?))
            };
            Some(Value::Object(one.iter().filter_map(common).collect()))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .map(|(one, other)| both(one, other))
            .collect(),
        _ => None,
    }
}
