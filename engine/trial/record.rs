//! A real job as a test.
//!
//! In: a job that ended, with what it was given, read and was answered. Out: the text of a test
//! file, with stand-ins for secrets and personal values; or why there can be none, in words.
//! Always true: the test was run before it is handed out, and passed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Moment;
use crate::data::{Object, Value, same};
use crate::diagnostic::{Place, Report, Span};
use crate::journal::{Entry, EntryKind, Failure, JobStatus};
use crate::library::Shelf;
use crate::mask::Masker;
use crate::source::parse;
use crate::store::JobRecord;

use super::faithful::hold_beside;
use super::renew::whole;
use super::run::{Aftermath, play_by_place, run_case};
use super::stand_in::StandIns;
use super::suite::{Case, Expect, Reply, ReplyKind, read};
use super::yaml::{block, member};

/// The width of what is written.
const WIDTH: usize = 120;

/// A job to be recorded.
pub struct Recorded<'a> {
    /// The job.
    pub record: &'a JobRecord,
    /// Its journal.
    pub entries: &'a [Entry],
    /// When it began.
    pub started_at: Moment,
    /// The settings that it pinned: project, integration, key.
    pub settings: &'a Value,
    /// The rows that it read before it wrote to their table, by table.
    pub tables: BTreeMap<String, Vec<Value>>,
    /// The texts that are not shown.
    pub hidden: Vec<String>,
    /// What finds them in others.
    pub masker: Masker,
}

/// The text of a test file that does again what a job did.
pub async fn record(shelf: &Arc<Shelf>, job: &Recorded<'_>) -> Result<String, String> {
    refuse_what_cannot_be(job)?;
    let answers = answers(job.entries);
    let all: Vec<Value> = answers
        .values()
        .map(|reply| reply_value(&reply.kind))
        .collect();
    let tables = Value::Object(
        job.tables
            .iter()
            .map(|(name, rows)| (name.clone(), Value::from(rows.clone())))
            .collect(),
    );
    let mut seen: Vec<&Value> = vec![&job.record.input, &job.record.event, job.settings, &tables];
    seen.extend(&all);
    let mut stand_ins = StandIns::of(&job.masker, &job.hidden, &seen);
    let answers: BTreeMap<String, Reply> = answers
        .into_iter()
        .map(|(place, reply)| (place, with_stand_ins(reply, &mut stand_ins)))
        .collect();
    let case = case(job, &tables, &mut stand_ins);
    let name = &job.record.recipe;
    // Twice: what differs between two runs, such as a made-up id, is not expected.
    let first = play_by_place(shelf, name, &case, &answers).await?;
    let second = play_by_place(shelf, name, &case, &answers).await?;
    hold_beside(job, &answers, &first, &mut stand_ins)?;
    let text = written(job, &case, &first, &second);
    try_out(shelf, job, &text).await?;
    Ok(text)
}

/// Says what of a job no test can do again.
fn refuse_what_cannot_be(job: &Recorded<'_>) -> Result<(), String> {
    let status = job.record.status;
    if job.record.pruned.is_some() {
        return Err(
            "its history was removed, so nobody knows any more what it was answered".into(),
        );
    }
    if !status.is_final() {
        return Err("it has not ended yet; record it when it has".into());
    }
    if !(status.is_good() || status == JobStatus::Failed) {
        let status = status.as_str();
        return Err(format!(
            "it ended as `{status}`, by a person's hand or a crash; a test has neither"
        ));
    }
    for entry in job.entries {
        let why = match &entry.kind {
            EntryKind::LoopFolded { .. } => {
                "a loop in it was so long that its elements are not kept one by one"
            }
            EntryKind::CallDoubted { .. } | EntryKind::DecisionAsked { .. } => {
                "a call in it ended in doubt; write such a test by hand, with `unknown` as the reply"
            }
            EntryKind::DecisionMade { .. } | EntryKind::OutputGiven { .. } => {
                "a person gave what a step of it gave"
            }
            EntryKind::RerunBegan { .. } | EntryKind::ElementsGiven { .. } => {
                "it did again a part of another job; record that one"
            }
            EntryKind::CancelRequested { .. } => "it was cancelled",
            _ => continue,
        };
        return Err(format!("{why} (at `{}`)", entry.key));
    }
    Ok(())
}

/// What each call of the job was answered, by place.
fn answers(entries: &[Entry]) -> BTreeMap<String, Reply> {
    let mut answers = BTreeMap::new();
    for entry in entries {
        let kind = match &entry.kind {
            EntryKind::StepSucceeded { output } => ReplyKind::Output(output.clone()),
            EntryKind::StepFailed {
                failure,
                next_try_at,
            } => failed(failure, next_try_at.is_some()),
            _ => continue,
        };
        let reply = Reply {
            kind,
            is_repeated: false,
        };
        answers.insert(entry.key.to_string(), reply);
    }
    answers
}

/// A failure as a reply; one that was tried again must be one that is tried again in the test, too.
fn failed(failure: &Failure, is_tried_again: bool) -> ReplyKind {
    match (is_tried_again, failure.status) {
        (true, Some(status)) => ReplyKind::Http {
            status,
            headers: Object::new(),
            body: failure.body.clone().unwrap_or_default(),
        },
        (true, None) => ReplyKind::Unknown(failure.message.clone()),
        (false, _) => {
            let mut told = Failure::new(&failure.code, failure.message.clone());
            told.status = failure.status;
            ReplyKind::Error(told)
        }
    }
}

fn with_stand_ins(reply: Reply, stand_ins: &mut StandIns) -> Reply {
    let kind = match reply.kind {
        ReplyKind::Output(output) => ReplyKind::Output(stand_ins.value(&output)),
        ReplyKind::Http {
            status,
            headers,
            body,
        } => {
            let body = stand_ins.value(&body);
            ReplyKind::Http {
                status,
                headers,
                body,
            }
        }
        ReplyKind::Error(mut failure) => {
            failure.message = stand_ins.text(&failure.message);
            ReplyKind::Error(failure)
        }
        ReplyKind::Unknown(why) => ReplyKind::Unknown(stand_ins.text(&why)),
        ReplyKind::Applied(is_applied) => ReplyKind::Applied(is_applied),
    };
    Reply { kind, ..reply }
}

fn reply_value(kind: &ReplyKind) -> Value {
    match kind {
        ReplyKind::Output(output) => serde_json::json!({ "output": output }),
        ReplyKind::Http { status, body, .. } => {
            serde_json::json!({ "status": status, "body": body })
        }
        ReplyKind::Error(failure) => {
            let mut error = Object::new();
            error.insert("code".into(), failure.code.as_str().into());
            error.insert("message".into(), failure.message.as_str().into());
            error.extend(
                failure
                    .status
                    .map(|status| ("status".to_owned(), status.into())),
            );
            serde_json::json!({ "error": error })
        }
        ReplyKind::Unknown(why) => serde_json::json!({ "unknown": why }),
        ReplyKind::Applied(is_applied) => serde_json::json!({ "applied": is_applied }),
    }
}

/// The world before the job.
fn case(job: &Recorded<'_>, tables: &Value, stand_ins: &mut StandIns) -> Case {
    let file = Arc::from("recorded");
    let span = Span {
        start: 0,
        len: 0,
        line: 1,
        column: 1,
    };
    let mut settings = Object::new();
    for of_project in job
        .settings
        .as_object()
        .into_iter()
        .flat_map(Object::values)
    {
        for (integration, keys) in of_project.as_object().into_iter().flatten() {
            let Value::Object(keys) = stand_ins.value(keys) else {
                continue;
            };
            let keys: Object = keys
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect();
            if !keys.is_empty() {
                settings.insert(integration.clone(), keys.into());
            }
        }
    }
    let event = job.record.event.as_object().map(|event| {
        let known = |name: &str| match event.contains_key("body") {
            true => matches!(name, "body" | "headers" | "query"),
            false => name != "covers" || event.get("covers").is_some_and(Value::is_object),
        };
        let kept = event.iter().filter(|(name, _)| known(name));
        let kept: Object = kept
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        stand_ins.value(&kept.into())
    });
    let tables = match stand_ins.value(tables) {
        Value::Object(tables) => tables,
        _ => Object::new(),
    };
    Case {
        title: format!("As in job {}", job.record.id),
        place: Place { file, span },
        now: job.started_at,
        input: stand_ins.value(&job.record.input),
        event,
        settings,
        tables,
        replies: Vec::new(),
        survives_crashes: true,
        expect: Expect::anything(),
    }
}

/// One run of the recorded world.
pub(super) struct Played {
    pub(super) after: Aftermath,
    /// Which call was answered from which place of the job, in order.
    pub(super) answered: Vec<(String, String)>,
}

/// What is the same in two runs.
fn stable(one: &Value, other: &Value) -> Option<Value> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let kept = one
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), stable(value, other.get(key)?)?)));
            Some(kept.collect::<Object>().into())
        }
        (one, other) => same(one, other).then(|| one.clone()),
    }
}

fn written(job: &Recorded<'_>, case: &Case, first: &Played, second: &Played) -> String {
    let mut written = Object::new();
    written.insert("title".into(), case.title.as_str().into());
    written.insert("now".into(), case.now.to_string().into());
    match &case.event {
        Some(event) => written.insert("event".into(), event.clone()),
        None => written.insert("input".into(), case.input.clone()),
    };
    for (name, part) in [("settings", &case.settings), ("tables", &case.tables)] {
        if !part.is_empty() {
            written.insert(name.into(), part.clone().into());
        }
    }
    let mut replies: Object = Object::new();
    for (action, reply) in &first.after.replies {
        let list = replies
            .entry(action.clone())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(reply_value(&reply.kind));
        }
    }
    if !replies.is_empty() {
        written.insert("replies".into(), replies.into());
    }
    written.insert("expect".into(), expected(first, second).into());
    let name = &job.record.recipe;
    format!(
        "# Recorded from a real job; secrets and personal values are stand-ins. Look it through before \
         you keep it.\n{}{}cases:\n{}",
        member(
            "title",
            &format!("What {} did once", name.name()).into(),
            0,
            WIDTH
        ),
        member("recipe", &name.name().into(), 0, WIDTH),
        block(&Value::Array(vec![written.into()]), 2, WIDTH)
    )
}

fn expected(first: &Played, second: &Played) -> Object {
    let (after, again) = (&first.after, &second.after);
    let mut expect = Object::new();
    expect.insert("status".into(), after.status.as_str().into());
    let ending = |after: &Aftermath| after.ending.clone();
    if let (Some(one), Some(other)) = (ending(after), ending(again)) {
        if let (Some(one), Some(other)) = (one.output, other.output)
            && same(&one, &other)
        {
            expect.insert("output".into(), one);
        }
        if let Some(failure) = one.failure {
            expect.insert("error".into(), serde_json::json!({ "code": failure.code }));
        }
    }
    let requests = after.requests.iter().zip(&again.requests);
    let requests: Vec<Value> = requests
        .map(|((action, one), (_, other))| {
            let fields = stable(one, other).unwrap_or_else(|| Object::new().into());
            whole(&(action.clone(), fields))
        })
        .collect();
    expect.insert("requests".into(), requests.into());
    expect
}

/// Runs the test as `recipes test` will.
async fn try_out(shelf: &Arc<Shelf>, job: &Recorded<'_>, text: &str) -> Result<(), String> {
    let file: Arc<str> = Arc::from("the recorded test");
    let name = &job.record.recipe;
    let project = name.as_str().split('/').next().unwrap_or_default();
    let (document, mut report) = parse(&file, text.as_bytes());
    let suite = document.and_then(|document| {
        let mut more = Report::of(&file);
        let suite = read(&document, project, &mut more);
        report = more;
        suite
    });
    let Some(suite) = suite else {
        let found = report.into_diagnostics();
        let why = found.first().map_or("", |found| &found.message);
        return Err(format!(
            "its values cannot be written into a test file: {why}"
        ));
    };
    for case in &suite.cases {
        let result = run_case(shelf, &suite.recipe, case, None).await;
        if let Some(problem) = result.problems.first() {
            return Err(format!(
                "the test that it gives does not hold by itself: {problem}"
            ));
        }
    }
    Ok(())
}
