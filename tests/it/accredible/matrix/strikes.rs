//! All the ways in which a scenario is struck, and what no scenario reaches.
//!
//! In: its run without a fault. Out: the strikes, each named; what the scenarios leave out.
//! Always true: every commit is struck, and every call in every way.

use std::collections::BTreeSet;

use recipe_engine::compile::{ForeachSource, StepKind};
use recipe_engine::connector::Effect;
use recipe_engine::library::Library;
use recipe_engine::names::RecipeName;
use recipe_engine::runner::Point;
use serde_json::{Value, json};

use super::super::stage::PROJECT;
use super::Played;
use super::play::{End, Request, Strike};

/// A strike and what it is called.
pub(super) struct Named {
    /// `fault, call or number`.
    pub(super) name: String,
    /// The fault alone.
    pub(super) kind: String,
    pub(super) strike: Strike,
}

/// What a vendor or the way to it does to any call.
const FAULTS: [&str; 4] = ["reset before", "reset after", "429", "500"];

/// What is done besides to calls that change something.
const FAULTS_OF_WRITES: [&str; 1] = ["done but 500"];

/// When the process dies around a call that changes something.
const DEATHS: [&str; 4] = [
    "dead once asked",
    "dead once done",
    "dead between reply and commit",
    "dead before sent",
];

impl Named {
    /// Whether a run in which the process lived on shows nothing. How entries share commits hangs
    /// on the moment, so that there may be a commit less than in the clean run.
    pub(super) fn must_die(&self) -> bool {
        match self.strike {
            Strike::Halt(Point::Committed, n) => n == 1,
            Strike::Halt(..) | Strike::Death(..) => true,
            Strike::Nothing | Strike::Fault(..) => false,
        }
    }
}

/// All strikes of a scenario.
pub(super) fn of(clean: &End) -> Vec<Named> {
    let mut strikes = vec![Named {
        name: "once more".into(),
        kind: "nothing".into(),
        strike: Strike::Nothing,
    }];
    let mut add = |kind: &str, what: &dyn std::fmt::Display, strike| {
        strikes.push(Named {
            name: format!("{kind} {what}"),
            kind: kind.into(),
            strike,
        });
    };
    for n in 1..=clean.commits {
        add("dead after commit", &n, Strike::Halt(Point::Committed, n));
    }
    let count = |is_meant: &dyn Fn(Effect) -> bool| {
        let made = clean.made.iter().filter(|made| is_meant(made.effect));
        u32::try_from(made.count()).expect("few calls")
    };
    for n in 1..=count(&|effect| effect == Effect::Once) {
        add(DEATHS[3], &n, Strike::Halt(Point::IntentWritten, n));
    }
    for n in 1..=count(&|effect| effect != Effect::Read) {
        add(DEATHS[2], &n, Strike::Halt(Point::ReplyReceived, n));
    }
    for request in &clean.requests {
        let told = format!("{} {} #{}", request.method, request.path, request.nth);
        for kind in FAULTS {
            add(
                kind,
                &told,
                Strike::Fault(request.clone(), fault(request, kind)),
            );
        }
        if request.is_write() {
            // A mail server that says that it did not take a mail has not taken it.
            let faults = FAULTS_OF_WRITES.iter().filter(|_| request.vendor != "mail");
            for kind in faults {
                add(
                    kind,
                    &told,
                    Strike::Fault(request.clone(), fault(request, kind)),
                );
            }
            for (kind, how) in [(DEATHS[0], "hang"), (DEATHS[1], "hang_after")] {
                add(kind, &told, Strike::Death(request.clone(), how));
            }
        }
    }
    strikes
}

/// A fault as the stand-ins take it. Mail servers say 450 and 451 where others say 429 and 500.
fn fault(request: &Request, kind: &str) -> Value {
    let is_mail = request.vendor == "mail";
    let reply = |code: u16, mail_code: u16, text: &str| match is_mail {
        true => json!({ "code": mail_code, "body": text }),
        false => json!({ "code": code, "body": { "message": text } }),
    };
    match kind {
        "reset before" => json!("reset_before"),
        "reset after" => json!("reset_after"),
        "429" => json!({ "status": reply(429, 450, "slow down") }),
        "500" => json!({ "status": reply(500, 451, "try again later") }),
        "done but 500" => json!({ "answer_after": reply(500, 451, "try again later") }),
        other => panic!("there is no fault `{other}`"),
    }
}

/// Recipes and actions that no scenario reaches, and faults that strike no call of an action.
pub(super) fn what_is_missing(
    played: &[Played],
    struck: &BTreeSet<(String, String)>,
) -> Vec<String> {
    let library = Library::bundled();
    let mut missing = Vec::new();
    let reached: BTreeSet<&str> = played
        .iter()
        .flat_map(|played| played.clean.recipes.iter().map(String::as_str))
        .collect();
    for recipe in all_recipes(&library) {
        if !reached.contains(recipe) {
            missing.push(format!("no scenario reaches the recipe {recipe}"));
        }
    }
    let made = played.iter().flat_map(|played| &played.clean.made);
    let made: BTreeSet<(&str, bool)> = made
        .map(|made| (made.action.as_str(), made.effect != Effect::Read))
        .collect();
    for action in &all_actions(&library) {
        if !made.iter().any(|(known, _)| known == action) {
            missing.push(format!("no scenario calls {action}"));
        }
    }
    let writes = made.iter().filter(|(_, is_write)| *is_write);
    for (action, _) in writes {
        for kind in FAULTS.iter().chain(&FAULTS_OF_WRITES).chain(&DEATHS[..2]) {
            let is_never = *kind == FAULTS_OF_WRITES[0] && *action == "mail.send";
            if !is_never && !struck.contains(&((*action).to_owned(), (*kind).to_owned())) {
                missing.push(format!("{action} is never struck by: {kind}"));
            }
        }
    }
    missing
}

/// The recipes of the project.
fn all_recipes(library: &Library) -> BTreeSet<&str> {
    let names = library.recipes.keys();
    let names = names.filter(|name| name.project() == PROJECT);
    names.map(RecipeName::name).collect()
}

/// The actions that its recipes name.
fn all_actions(library: &Library) -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    let recipes = library.recipes.iter();
    for (_, recipe) in recipes.filter(|(name, _)| name.project() == PROJECT) {
        recipe.for_each_step(&mut |step| {
            let action = match &step.kind {
                StepKind::Action { action, .. } => action,
                StepKind::Foreach(foreach) => match &foreach.source {
                    ForeachSource::Action { action, .. } => action,
                    ForeachSource::List(_) => return,
                },
                _ => return,
            };
            actions.insert(format!("{}.{}", action.connector, action.action));
        });
    }
    actions
}

/// A request is told by its place among those of the same method and path.
impl std::fmt::Display for Request {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {} #{}", self.method, self.path, self.nth)
    }
}
