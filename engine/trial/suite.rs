//! A test file, read.

use std::sync::Arc;

use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::diagnostic::{Diagnostic, Place, Report};
use crate::form;
use crate::journal::{Failure, JobStatus};
use crate::library::Library;
use crate::names::RecipeName;
use crate::source::{Document, Node};

use super::grammar::TEST;

/// The moment at which a test begins unless it says otherwise.
const NOW: &str = "2026-01-15T09:00:00Z";

/// A test file.
#[derive(Debug)]
pub struct Suite {
    /// The file.
    pub file: Arc<str>,
    /// The recipe that is tested.
    pub recipe: RecipeName,
    /// The tests.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Debug)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Where it stands.
    pub place: Place,
    /// When it begins.
    pub now: Moment,
    /// What the recipe is given.
    pub input: Value,
    /// What the trigger is given.
    pub event: Option<Value>,
    /// Settings: integration, key, value.
    pub settings: Object,
    /// Rows before, by table.
    pub tables: Object,
    /// What connectors answer.
    pub replies: Vec<(String, Vec<Reply>)>,
    /// Whether the end is the same when the worker dies on the way.
    pub survives_crashes: bool,
    /// What must hold after.
    pub expect: Expect,
}

/// One answer of a connector.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The answer.
    pub kind: ReplyKind,
    /// Whether it is used again and again.
    pub is_repeated: bool,
}

/// The kinds of answers.
#[derive(Clone, Debug)]
pub enum ReplyKind {
    /// The action's output.
    Output(Value),
    /// A raw HTTP answer, judged by the connector's reply rules.
    Http {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Object,
        /// Its body.
        body: Value,
    },
    /// A failure that was certainly not applied.
    Error(Failure),
    /// A doubtful end.
    Unknown(String),
    /// To a question: whether the call was applied.
    Applied(bool),
}

/// What must hold after.
#[derive(Debug)]
pub struct Expect {
    /// How the job ends.
    pub status: JobStatus,
    /// What it returns.
    pub output: Option<Value>,
    /// The error it fails with.
    pub error: Option<Value>,
    /// Every request sent: action and some of its fields.
    pub requests: Option<Vec<(String, Value)>>,
    /// Whether the order of requests counts.
    pub in_order: bool,
    /// All rows of tables after.
    pub tables: Object,
    /// Texts that lines of the log contain.
    pub log: Vec<String>,
    /// All of this as it is written.
    pub written: Object,
}

/// Reads all test files of a workspace; the findings are those of the test files only.
pub fn suites(library: &Library) -> (Vec<Suite>, Vec<Diagnostic>) {
    let mut suites = Vec::new();
    let mut found = Vec::new();
    for (path, document) in &library.tests {
        let project = path.split('/').nth(1).unwrap_or_default();
        let mut report = Report::of(&document.file);
        suites.extend(read(document, project, &mut report));
        found.extend(report.into_diagnostics());
    }
    (suites, found)
}

/// Reads a test file of a project; findings are in the report.
pub fn read(document: &Document, project: &str, report: &mut Report) -> Option<Suite> {
    let root = &document.root;
    form::check(root, &TEST, report);
    if report.has_errors() {
        return None;
    }
    let name = text(root.get("recipe"))?;
    let recipe = if name.contains('/') {
        RecipeName::new(&name)
    } else {
        RecipeName::of(project, &name)
    };
    let recipe = match recipe {
        Ok(recipe) => recipe,
        Err(why) => {
            let (message, help) = why.split_once(": ").unwrap_or((&why, "rename it"));
            report
                .error(codes::UNUSABLE, root.get("recipe")?.span, message)
                .help(help);
            return None;
        }
    };
    let cases = root
        .get("cases")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let cases = cases
        .iter()
        .filter_map(|node| read_case(node, report))
        .collect();
    Some(Suite {
        file: document.file.clone(),
        recipe,
        cases,
    })
}

fn read_case(node: &Node, report: &mut Report) -> Option<Case> {
    let now = node.get("now");
    let now = match Moment::parse(&text(now).unwrap_or_else(|| NOW.to_owned())) {
        Ok(now) => now,
        Err(why) => {
            report
                .error(codes::UNUSABLE, now.map_or(node.span, |now| now.span), why)
                .help("write a date and time, such as 2026-03-01T10:00:00Z");
            return None;
        }
    };
    let mut replies = Vec::new();
    for (action, list) in node
        .get("replies")
        .and_then(Node::as_map)
        .unwrap_or_default()
    {
        let list = list.as_list().unwrap_or_default();
        let list = list
            .iter()
            .filter_map(|reply| read_reply(reply, report))
            .collect();
        replies.push((action.text.to_string(), list));
    }
    Some(Case {
        title: text(node.get("title"))?,
        place: Place {
            file: report.file(),
            span: node.span,
        },
        now,
        input: node
            .get("input")
            .map_or_else(|| Value::Object(Object::new()), Node::to_value),
        event: node.get("event").map(Node::to_value),
        settings: object(node.get("settings")),
        tables: object(node.get("tables")),
        replies,
        survives_crashes: node.get("survives_crashes").is_none_or(is_true),
        expect: read_expect(node.get("expect")?, report)?,
    })
}

fn read_reply(node: &Node, report: &mut Report) -> Option<Reply> {
    let flag = |key: &str| node.get(key).map(is_true);
    let kind = if let Some(output) = node.get("output") {
        ReplyKind::Output(output.to_value())
    } else if let Some(status) = number(node.get("status")) {
        let headers = object(node.get("headers"));
        let body = node.get("body").map_or(Value::Null, Node::to_value);
        ReplyKind::Http {
            status,
            headers,
            body,
        }
    } else if let Some(error) = node.get("error") {
        let message = text(error.get("message")).unwrap_or_default();
        let mut failure = Failure::new(&text(error.get("code"))?, message);
        failure.status = number(error.get("status"));
        ReplyKind::Error(failure)
    } else if let Some(doubt) = text(node.get("unknown")) {
        ReplyKind::Unknown(doubt)
    } else if let Some(is_applied) = flag("applied") {
        ReplyKind::Applied(is_applied)
    } else {
        report
            .error(
                codes::UNUSABLE,
                node.span,
                "the reply does not say what it is",
            )
            .help("it needs one of output, status, error, unknown and applied");
        return None;
    };
    Some(Reply {
        kind,
        is_repeated: flag("repeat") == Some(true),
    })
}

fn read_expect(node: &Node, report: &mut Report) -> Option<Expect> {
    let status = match text(node.get("status")) {
        None if node.get("error").is_some() => JobStatus::Failed,
        None => JobStatus::Succeeded,
        Some(word) => match JobStatus::parse(&word) {
            Some(status) => status,
            None => {
                let known = JobStatus::ALL.map(JobStatus::as_str).join(", ");
                let span = node.get("status")?.span;
                report
                    .error(
                        codes::UNUSABLE,
                        span,
                        format!("`{word}` is no status of a job"),
                    )
                    .help(format!("use one of {known}"));
                return None;
            }
        },
    };
    let in_order = node.get("requests").is_some();
    let requests = node
        .get("requests")
        .or_else(|| node.get("requests_any_order"));
    Some(Expect {
        status,
        output: node.get("output").map(Node::to_value),
        error: node.get("error").map(Node::to_value),
        requests: requests
            .and_then(Node::as_list)
            .map(|list| list.iter().map(|node| request(&node.to_value())).collect()),
        in_order,
        tables: object(node.get("tables")),
        log: node
            .get("log")
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(|line| text(Some(line)))
            .collect(),
        written: object(Some(node)),
    })
}

/// `connector.action`, or `connector.action: { fields }`.
pub(super) fn request(written: &Value) -> (String, Value) {
    let named = written.as_object().filter(|object| object.len() == 1);
    match named.and_then(|object| object.iter().next()) {
        Some((action, fields)) => (action.clone(), fields.clone()),
        None => (written.as_str().unwrap_or_default().to_owned(), Value::Null),
    }
}

fn is_true(node: &Node) -> bool {
    node.to_value() == Value::Bool(true)
}

fn text(node: Option<&Node>) -> Option<String> {
    node?.as_text().map(ToString::to_string)
}

fn number(node: Option<&Node>) -> Option<u16> {
    node?
        .to_value()
        .as_u64()
        .and_then(|number| u16::try_from(number).ok())
}

fn object(node: Option<&Node>) -> Object {
    match node.map(Node::to_value) {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    }
}

/// The codes of findings in test files.
pub mod codes {
    use crate::diagnostic::Code;

    /// A test that cannot be used.
    pub const UNUSABLE: Code = Code("R300");

    /// All codes of this room, each with a title and an explanation.
    pub const ALL: &[(Code, &str, &str)] = &[(
        UNUSABLE,
        "a test that cannot be used",
        "A test file names a recipe, a moment, a status or a reply that makes no sense. The message \
         says which, and what could stand there.",
    )];
}
