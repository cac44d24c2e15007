//! How a story is told: for a person at a terminal, or plain when piped.
//!
//! Always true: what is secret in the story is never told.

use std::fmt::Write;
use std::time::Duration;

use super::super::say;
use super::tree::{Line, What};
use crate::data::Value;
use crate::diagnostic::Look;

/// How wide paragraphs are.
const WIDTH: usize = 92;

/// The longest that the body of a request is shown.
const BODY_CHARS_MAX: usize = 160;

/// Tells what happens.
#[derive(Debug)]
pub(super) struct Teller {
    look: Look,
    secrets: Vec<String>,
}

/// The kinds of emphasis.
#[derive(Clone, Copy)]
enum Tone {
    Strong,
    Faint,
    Good,
    Bad,
}

impl Teller {
    /// A teller that keeps these texts to itself.
    pub(super) fn new(look: Look, secrets: Vec<String>) -> Self {
        Self { look, secrets }
    }

    /// The title of the story.
    pub(super) fn title(&self, title: &str, description: Option<&str>) -> anyhow::Result<()> {
        let title = self.tone(Tone::Strong, title);
        let text = description.map_or(String::new(), |text| wrapped(text, ""));
        say(&format!("{title}\n{text}\n"))
    }

    /// Something that is now set up: what it is, and where.
    pub(super) fn ready(&self, what: &str, details: &str) -> anyhow::Result<()> {
        let what = self.tone(Tone::Faint, &format!("{what:<12}"));
        say(&format!("  {what} {}\n", self.hidden(details)))
    }

    /// A scene begins.
    pub(super) fn scene(&self, number: usize, title: &str) -> anyhow::Result<()> {
        say(&format!(
            "\n{}\n",
            self.tone(Tone::Strong, &format!("{number}. {title}"))
        ))
    }

    /// A paragraph.
    pub(super) fn paragraph(&self, text: &str) -> anyhow::Result<()> {
        say(&wrapped(&self.hidden(text), "   "))
    }

    /// A request to a stand-in.
    pub(super) fn sent(&self, server: &str, path: &str, body: &Value) -> anyhow::Result<()> {
        let body = match body {
            Value::Null => String::new(),
            body => cut(&self.hidden(&body.to_string())),
        };
        let arrow = self.sign("->", "→");
        let request = self.tone(Tone::Faint, &format!("POST /_control/{path} {body}"));
        say(&format!("   {arrow} {server}: {request}\n"))
    }

    /// Something that is as it must be.
    pub(super) fn good(&self, text: &str) -> anyhow::Result<()> {
        let sign = self.tone(Tone::Good, self.sign("ok", "✓"));
        say(&format!("   {sign} {}\n", self.hidden(text)))
    }

    /// Something that is not as it must be.
    pub(super) fn bad(&self, text: &str) -> anyhow::Result<()> {
        let sign = self.tone(Tone::Bad, self.sign("!!", "✗"));
        say(&format!("   {sign} {}\n", self.hidden(text)))
    }

    /// More about the line before.
    pub(super) fn detail(&self, text: &str) -> anyhow::Result<()> {
        say(&format!(
            "       {}\n",
            self.tone(Tone::Faint, &self.hidden(text))
        ))
    }

    /// A job begins to be told.
    pub(super) fn job(&self, id: &str, title: &str) -> anyhow::Result<()> {
        let id = self.tone(Tone::Faint, id);
        say(&format!("   {} {id}\n", self.tone(Tone::Strong, title)))
    }

    /// A job has ended.
    pub(super) fn ended(&self, status: &str, took: Option<Duration>) -> anyhow::Result<()> {
        let tone = if status == "succeeded" {
            Tone::Good
        } else {
            Tone::Bad
        };
        let took = took.map_or(String::new(), |took| format!(" in {}", in_words(took)));
        let corner = self.tone(Tone::Faint, self.sign("'-", "└"));
        say(&format!("   {corner} {}{took}\n", self.tone(tone, status)))
    }

    /// A line of a job's tree.
    pub(super) fn line(&self, line: &Line) -> anyhow::Result<()> {
        let guide = self.sign("| ", "│ ").repeat(line.depth + 1);
        let took = line
            .took
            .map_or(String::new(), |took| format!("  {}", in_words(took)));
        let named = |name: &str, kind: &str| match (name, kind) {
            ("", kind) => kind.to_owned(),
            (name, kind) => format!("{} {}", self.hidden(name), self.tone(Tone::Faint, kind)),
        };
        let said = match &line.what {
            What::Opens { name, kind } => named(name, kind),
            What::Done { name, kind } => {
                let sign = self.tone(Tone::Good, self.sign("ok", "✓"));
                format!("{sign} {}", named(name, kind))
            }
            What::Failed { name, kind, why } => {
                let sign = self.tone(Tone::Bad, self.sign("!!", "✗"));
                format!(
                    "{sign} {}: {}",
                    named(name, kind).trim_end(),
                    self.hidden(why)
                )
            }
            What::Closes => self.tone(Tone::Faint, self.sign("'-", "└")),
        };
        let took = self.tone(Tone::Faint, &took);
        say(&format!(
            "   {}{}{took}\n",
            self.tone(Tone::Faint, &guide),
            said.trim_end()
        ))
    }

    /// The end of what was told.
    pub(super) fn close(&self, text: &str) -> anyhow::Result<()> {
        say(&format!("\n{}\n", self.tone(Tone::Strong, text)))
    }

    /// Something to try; here the token is shown, because it is needed.
    pub(super) fn next(&self, text: &str, command: &str) -> anyhow::Result<()> {
        say(&format!("\n  {text}:\n    {command}\n"))
    }

    fn tone(&self, tone: Tone, text: &str) -> String {
        if self.look == Look::Plain || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Strong => 1,
            Tone::Faint => 2,
            Tone::Good => 32,
            Tone::Bad => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn sign(&self, plain: &'static str, colourful: &'static str) -> &'static str {
        if self.look == Look::Plain {
            plain
        } else {
            colourful
        }
    }

    fn hidden(&self, text: &str) -> String {
        let secrets = self.secrets.iter();
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "(hidden)")
        })
    }
}

/// A length of time as people say it.
fn in_words(took: Duration) -> String {
    match took.as_millis() {
        0 => "<1 ms".to_owned(),
        ms if ms < 1_000 => format!("{ms} ms"),
        ms => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= BODY_CHARS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(BODY_CHARS_MAX).collect();
    format!("{kept}...")
}

/// A paragraph in lines of a readable length.
fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{indent}{line}");
    out
}
