//! A job's steps as a tree.
//!
//! In: what a replay saw, in the order in which steps ended. Out: each step below the one it
//! belongs to, in the order in which they began.
//! Always true: a step that has begun and not ended is there too, as far as its parts tell of it.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::data::{Object, Value};
use crate::interpret::{Look, NextTry, Traced};
use crate::journal::{Entry, EntryKind};

use super::folded::{Folded, folded};
use super::wire::moment;

/// The parts of a tree, by key, with the keys below each.
#[derive(Default)]
struct Tree<'a> {
    parts: HashMap<&'a str, &'a Traced>,
    below: HashMap<&'a str, Vec<&'a str>>,
    /// What hangs below something already.
    hung: HashSet<&'a str>,
    /// The latest that is known of places whose step has not ended.
    open: HashMap<&'a str, &'a Entry>,
    /// Loops of which not every iteration is there.
    folded: HashMap<&'a str, Folded<'a>>,
    /// The tries that are waited for.
    tries: HashMap<&'a str, NextTry>,
}

/// The steps as nested objects with `steps` inside; `show` says how a step is shown, `hide`
/// takes out of values what is not shown.
pub(super) fn tree<'a>(
    look: &'a Look,
    entries: &'a [Entry],
    show: &dyn Fn(&Traced, Object) -> Object,
    hide: &dyn Fn(Value) -> Value,
) -> Vec<Value> {
    let mut tree = Tree {
        folded: folded(entries),
        tries: look
            .tries
            .iter()
            .map(|(key, next)| (&*key.0, *next))
            .collect(),
        ..Tree::default()
    };
    for step in &look.steps {
        let key = &*step.key.0;
        let is_known = tree.parts.insert(key, step).is_some();
        if !is_known {
            tree.hang(key);
        }
    }
    for entry in entries {
        let key = &*entry.key.0;
        // What concerns the job as a whole is no step, and a line is no step under way.
        let is_line = matches!(entry.kind, EntryKind::LineLogged { .. });
        if !key.is_empty() && !is_line && !tree.has_ended(key) {
            tree.open.insert(key, entry);
            tree.hang(key);
        }
    }
    tree.level("", show, hide)
}

impl<'a> Tree<'a> {
    /// Puts a key below the one it belongs to, and that one below its own.
    fn hang(&mut self, key: &'a str) {
        let mut key = key;
        while self.hung.insert(key) {
            let parent = parent_of(key);
            self.below.entry(parent).or_default().push(key);
            if parent.is_empty() {
                return;
            }
            key = parent;
        }
    }

    /// Whether the step at a place, or one around it, is known to have ended.
    fn has_ended(&self, key: &str) -> bool {
        let mut key = key;
        while !key.is_empty() {
            if self.parts.contains_key(key) {
                return true;
            }
            key = parent_of(key);
        }
        false
    }

    fn level(
        &self,
        key: &str,
        show: &dyn Fn(&Traced, Object) -> Object,
        hide: &dyn Fn(Value) -> Value,
    ) -> Vec<Value> {
        let Some(keys) = self.below.get(key) else {
            return Vec::new();
        };
        let mut shown = Vec::with_capacity(keys.len());
        for key in keys {
            let mut node = match self.parts.get(key) {
                Some(step) => show(step, wire(step)),
                None => open(key, self.open.get(key).copied(), hide),
            };
            if let Some(next) = self.tries.get(key) {
                node.insert("next_try".into(), next.number.into());
                node.insert("tries".into(), next.of.into());
            }
            if let Some(folded) = self.folded.get(key) {
                folded.show(&mut node, hide);
            }
            let inner = self.level(key, show, hide);
            if !inner.is_empty() {
                node.insert("steps".into(), Value::Array(inner));
            }
            shown.push(Value::Object(node));
        }
        shown
    }
}

/// The key of the step or iteration that a key stands in: `a[3]/b` stands in `a[3]`, that in `a`.
pub(super) fn parent_of(key: &str) -> &str {
    let last = last_part(key);
    let id = last + id_len(&key[last..]);
    if id < key.len() {
        return &key[..id];
    }
    &key[..last.saturating_sub(1)]
}

/// The id of the step that a key names, without iteration and try.
pub(super) fn own_id(key: &str) -> &str {
    let last = &key[last_part(key)..];
    &last[..id_len(last)]
}

/// Where the last part of a key begins.
fn last_part(key: &str) -> usize {
    let mut at = 0;
    loop {
        let id = at + id_len(&key[at..]);
        match key[id..].find('/') {
            Some(slash) => at = id + slash + 1,
            None => return at,
        }
    }
}

/// How long the id is that a text begins with. An id that nobody wrote names its place in the
/// recipe, slashes included: `set@3/do/1`, `call:project/name@0`.
fn id_len(text: &str) -> usize {
    let mut end = text.find(['/', '[', '~', ':', '@']).unwrap_or(text.len());
    if text[end..].starts_with(':') {
        end += text[end..].find('@').unwrap_or(text.len() - end);
    }
    if !text[end..].starts_with('@') {
        return end;
    }
    end += 1 + digits(&text[end + 1..]);
    while let Some((part, number)) = text[end..]
        .strip_prefix('/')
        .and_then(|r| r.split_once('/'))
        && digits(number) > 0
        && !part.contains(['[', '~', ':', '@'])
    {
        end += part.len() + 2 + digits(number);
    }
    end
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len())
}

fn wire(step: &Traced) -> Object {
    let mut wire = Object::new();
    wire.insert("key".into(), step.key.0.as_ref().into());
    wire.insert("recipe".into(), step.recipe.as_str().into());
    wire.insert("id".into(), step.step.as_ref().into());
    if let Some(title) = &step.title {
        wire.insert("title".into(), title.as_str().into());
    }
    wire.insert("kind".into(), step.kind.as_str().into());
    wire.insert("state".into(), json!(step.state));
    wire.insert("began_at".into(), moment(step.began_at));
    wire.insert("ended_at".into(), moment(step.ended_at));
    wire
}

/// A step or iteration that has not ended, as far as its journal tells.
fn open(key: &str, entry: Option<&Entry>, hide: &dyn Fn(Value) -> Value) -> Object {
    let mut wire = Object::new();
    let last = &key[last_part(key)..];
    wire.insert("key".into(), key.into());
    wire.insert("id".into(), last.into());
    wire.insert("state".into(), "began".into());
    match entry.map(|entry| &entry.kind) {
        Some(EntryKind::StepFailed {
            failure,
            next_try_at,
        }) => {
            let short = json!({ "code": failure.code, "message": failure.message });
            wire.insert("failure".into(), hide(short));
            wire.extend(next_try_at.map(|at| ("next_try_at".to_owned(), moment(at))));
        }
        Some(EntryKind::WaitBegan { until }) => {
            wire.insert("waits_until".into(), moment(*until));
        }
        Some(EntryKind::CallIntended { action, .. }) => {
            wire.insert("kind".into(), format!("action {action}").into());
        }
        _ => {}
    }
    wire
}
