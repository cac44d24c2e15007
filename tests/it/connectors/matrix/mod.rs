//! Every action of the shipped connectors, ended in every doubtful way, through the real interpreter,
//! runner, store and way out, against the vendors' stand-ins.
//!
//! In: `tests/data/effects.yaml`. Out: for each action and fault, how the job ended, how often the
//! request was sent and what it left at the vendor, against what the file says.
//! Always true: the list of actions is that of the connector files; one without a row fails.

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use recipe_engine::connector::Effect;
use recipe_engine::data::{Object, Value};
use recipe_engine::library::{Library, Shelf};
use recipe_engine::names::RecipeName;
use recipe_engine::runner::Point;
use serde::Deserialize;
use tempfile::TempDir;

use stage::{Crash, Play, Stage};

/// How many threads share the work, and how many jobs each of them tries at once, each job with
/// stand-ins of its own.
const THREADS: usize = 4;
const AT_ONCE: usize = 4;

/// The longest that a call may take whose time is to be up, in real time: long for a machine of this
/// world, short for a test.
const IMPATIENCE: &str = "1s";

/// The file that says what must happen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    faults: Vec<Fault>,
    actions: BTreeMap<String, Object>,
    rows: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    name: String,
    /// The fault at the vendor's side, as its stand-in takes it.
    #[serde(default)]
    order: Value,
    #[serde(default)]
    is_impatient: bool,
    kill: Option<String>,
    /// By the class of the action: status, times sent, times applied.
    ends: BTreeMap<String, (String, usize, usize)>,
}

/// One action as a recipe calls it.
struct Act {
    name: String,
    class: &'static str,
    shelf: Arc<Shelf>,
    _folder: Arc<TempDir>,
}

#[test]
fn every_action_survives_every_doubtful_end() {
    let text = std::fs::read_to_string("tests/data/effects.yaml").expect("the expected ends");
    let expected: Expected = serde_yaml::from_str(&text).expect("readable");
    let acts = acts(&expected);
    let tried = std::thread::scope(|scope| {
        let hands = acts.chunks(acts.len().div_ceil(THREADS));
        let hands: Vec<_> = hands
            .map(|acts| scope.spawn(|| tried(acts, &expected)))
            .collect();
        let join = |hand: std::thread::ScopedJoinHandle<'_, _>| hand.join().expect("no panic");
        hands.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    let count: usize = tried.iter().map(|(count, _)| count).sum();
    let troubles: Vec<String> = tried
        .into_iter()
        .flat_map(|(_, troubles)| troubles)
        .collect();
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
    assert!(count > acts.len() * 12, "only {count} ends were tried");
}

/// Tries these actions, several at once.
fn tried(acts: &[Act], expected: &Expected) -> Vec<(usize, Vec<String>)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    let tries = acts.iter().map(|act| troubles_of(act, expected));
    let tries = futures_util::stream::iter(tries).buffer_unordered(AT_ONCE);
    runtime.block_on(tries.collect())
}

/// All actions of the shipped connectors, and those that can be asked about once more without that.
fn acts(expected: &Expected) -> Vec<Act> {
    let asking = shelf(expected, &[]);
    let silent = shelf(expected, &["docebo", "accredible"]);
    let (connectors, _) = asking.0.accounts();
    let mut acts = Vec::new();
    let mut known = BTreeSet::new();
    for connector in ["docebo", "accredible"] {
        for (action, about) in &connectors[connector].actions {
            let name = format!("{connector}.{action}");
            known.insert(name.clone());
            let class = match (about.effect, about.verify.is_some()) {
                (Effect::Read, _) => "read",
                (Effect::Repeatable, _) => "repeatable",
                (Effect::Once, true) => "verified",
                (Effect::Once, false) => "unverified",
            };
            let act = |class, (shelf, folder): &(Arc<Shelf>, Arc<TempDir>)| Act {
                name: name.clone(),
                class,
                shelf: shelf.clone(),
                _folder: folder.clone(),
            };
            acts.push(act(class, &asking));
            if class == "verified" {
                acts.push(act("unverified", &silent));
            }
        }
    }
    let rows: BTreeSet<String> = expected.actions.keys().cloned().collect();
    assert_eq!(
        rows, known,
        "tests/data/effects.yaml needs a row for each action"
    );
    acts
}

/// A recipe for each action, plain and impatient; without `verify` in the connectors named.
fn shelf(expected: &Expected, unasked: &[&str]) -> (Arc<Shelf>, Arc<TempDir>) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write(
        "recipes/matrix/project.yaml",
        "title: Matrix\nversion: 1.0.0\n",
    );
    for (action, input) in &expected.actions {
        for (ending, timeout) in [("", ""), ("-impatient", IMPATIENCE)] {
            let timeout = match timeout {
                "" => String::new(),
                time => format!("\n    timeout: {time}"),
            };
            let text = format!(
                "title: \"{action}{ending}\"\ntrigger: {{ function: {{ input: {{}}, output: {{}} }} }}\n\
                 steps:\n  - id: done\n    action: {action}{timeout}\n    with: {}\n",
                Value::Object(input.clone())
            );
            write(
                &format!("recipes/matrix/{}{ending}.yaml", file_name(action)),
                &text,
            );
        }
    }
    for connector in unasked {
        let path = format!("connectors/{connector}.yaml");
        let text = std::fs::read_to_string(&path).expect("a shipped connector");
        write(&path, &without_verify(&text));
    }
    let library = Library::read(folder.path()).expect("the workspace");
    let wrong: Vec<String> = library
        .diagnostics
        .iter()
        .filter(|found| found.place.file.starts_with("recipes/matrix"))
        .map(|found| format!("{} {}", found.place.file, found.message))
        .collect();
    assert!(!library.has_errors(), "{wrong:?}");
    (Shelf::new(library), Arc::new(folder))
}

fn file_name(action: &str) -> String {
    action.replace(['.', '_'], "-")
}

/// A connector's file in which no action can be asked about.
fn without_verify(text: &str) -> String {
    let mut kept = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        is_inside = (is_inside && depth > 4) || line == "    verify:";
        if !is_inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Tries one action with every fault: how many, and what was not as it must be.
async fn troubles_of(act: &Act, expected: &Expected) -> (usize, Vec<String>) {
    let stage = Stage::open(&act.name, act.shelf.clone(), &expected.rows).await;
    let name = |ending: &str| {
        let name = format!("{}{ending}", file_name(&act.name));
        RecipeName::of("matrix", &name).expect("a name")
    };
    let clean = stage.play(&Play::plain(name(""))).await;
    let before = stage.world_before.clone();
    let (mut count, mut troubles) = (0, Vec::new());
    for fault in &expected.faults {
        let Some((status, sent, applied)) = fault.ends.get(act.class) else {
            continue;
        };
        count += 1;
        let play = Play {
            recipe: name(if fault.is_impatient { "-impatient" } else { "" }),
            order: fault.order.clone(),
            struck: clean.first.clone(),
            crash: fault.kill.as_deref().map(crash),
        };
        let end = stage.play(&play).await;
        let must = if *applied == 0 { &before } else { &clean.world };
        let place = format!("{} ({}), {}", act.name, act.class, fault.name);
        if end.status != *status {
            troubles.push(format!("{place}: {} {}", end.status, end.why));
        }
        // On a slow machine the time of the second try may be up as well, and of the third.
        let is_later =
            fault.is_impatient && *sent > 1 && (sent + 1..=sent + 2).contains(&end.sent.len());
        if end.sent.len() != *sent && !is_later {
            troubles.push(format!(
                "{place}: sent {} times, not {sent}",
                end.sent.len()
            ));
        }
        if end.sent.windows(2).any(|two| two[0] != two[1]) {
            troubles.push(format!(
                "{place}: repeated as another request: {:?}",
                end.sent
            ));
        }
        if end.world != *must {
            let wrong = differences(must, &end.world);
            troubles.push(format!(
                "{place}: applied other than {applied} times: {wrong}"
            ));
        }
    }
    if act.class != "read" && clean.world == before {
        troubles.push(format!(
            "{}: changes nothing, so that nothing is tried",
            act.name
        ));
    }
    stage.close().await;
    (count, troubles)
}

fn crash(word: &str) -> Crash {
    match Point::ALL.into_iter().find(|point| point.as_str() == word) {
        Some(point) => Crash::At(point),
        None => {
            assert_eq!(word, "request_sent");
            Crash::OnceAsked
        }
    }
}

/// Which collections differ.
fn differences(must: &BTreeMap<String, Value>, is: &BTreeMap<String, Value>) -> String {
    let differing = must
        .iter()
        .filter(|(name, rows)| is.get(*name) != Some(rows));
    let told =
        differing.map(|(name, rows)| format!("{name} must be {rows}, is {:?}", is.get(name)));
    told.collect::<Vec<_>>().join("; ")
}
