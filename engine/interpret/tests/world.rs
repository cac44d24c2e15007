//! A world that answers from a script, for the machine by itself.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::super::*;
use crate::compile::{Catalogue, Project, Signature, compile, program};
use crate::names::{ConnectorName, JobId};
use crate::recipe::RecipeFile;
use crate::source::parse;

const VENDOR: &str = include_str!("../../../tests/recipes/connectors/vendor.yaml");

/// Compiles recipes of one project; the first is the root.
pub(super) fn compiled(sources: &[(&str, &str)]) -> Arc<Program> {
    let mut catalogue = Catalogue::default();
    let vendor = ConnectorName::new("vendor").unwrap();
    let (document, report) = parse(&Arc::from("vendor.yaml"), VENDOR.as_bytes());
    let mut report = report;
    let connector = crate::connector::read(&vendor, &document.unwrap(), &mut report);
    assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
    catalogue.connectors.insert(vendor, Arc::new(connector));
    catalogue
        .projects
        .insert("p".into(), Arc::new(Project::unwired("p")));
    let mut files = Vec::new();
    for (name, source) in sources {
        let file: Arc<str> = Arc::from(format!("{name}.yaml"));
        let (document, report) = parse(&file, source.as_bytes());
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        let name = RecipeName::of("p", name).unwrap();
        let (file, report) = RecipeFile::read(name.clone(), document.unwrap());
        assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
        catalogue
            .signatures
            .insert(name, Signature::of(&file).into());
        files.push(file);
    }
    let mut recipes = BTreeMap::new();
    for file in &files {
        let (recipe, report) = compile(file, &catalogue);
        let found = report.into_diagnostics();
        recipes.insert(
            file.name.clone(),
            Arc::new(recipe.unwrap_or_else(|| panic!("{found:?}"))),
        );
    }
    Arc::new(program(&files[0].name, &recipes).unwrap())
}

/// A world that answers from a script, in the order of effects.
pub(super) struct World {
    pub(super) program: Arc<Program>,
    pub(super) input: Value,
    pub(super) script: Vec<Answer>,
}

/// What a run left behind.
#[derive(Debug, PartialEq)]
pub(super) struct Left {
    pub(super) ending: Ending,
    pub(super) entries: Vec<Entry>,
    pub(super) asked: Vec<String>,
}

impl World {
    pub(super) fn start(&self) -> Start {
        Start {
            is_preview: false,
            id: JobId::new("0190f5fe-7c00-7a00-8000-000000000001").unwrap(),
            program: self.program.clone(),
            event: Value::Null,
            input: self.input.clone(),
            settings: Value::Null,
            started_at: Moment(0),
            started_by: "person:test".into(),
            start_depth: 0,
        }
    }

    /// Runs from some entries, with the part of the script that they have not used up.
    pub(super) fn run(&self, entries: Vec<Entry>, used: usize) -> Left {
        let mut script: VecDeque<Answer> = self.script.iter().skip(used).cloned().collect();
        let mut machine = Machine::new(self.start(), entries.clone());
        let mut left = entries;
        let mut asked = Vec::new();
        let mut now = left.iter().map(|entry| entry.at.0).max().unwrap_or(0);
        for _ in 0..10_000 {
            let turn = machine.turn(Moment(now));
            left.extend(turn.entries);
            if let Some(ending) = turn.ending {
                return Left {
                    ending,
                    entries: left,
                    asked,
                };
            }
            for effect in turn.effects {
                let answer = match effect.kind {
                    EffectKind::Timer { until } => {
                        now = now.max(until.0);
                        Answer::Fired
                    }
                    EffectKind::Hold(_) => Answer::Granted,
                    _ => {
                        now += 1_000_000;
                        asked.push(effect.key.to_string());
                        script.pop_front().expect("the script is too short")
                    }
                };
                machine.answer(effect.number, Moment(now), answer);
            }
        }
        panic!("the job does not end");
    }

    /// Runs once, then again from every prefix of the journal that ends with an answer: the end
    /// and the journal must be the same, and nothing recorded may be asked again.
    pub(super) fn check(&self) -> Left {
        let whole = self.run(Vec::new(), 0);
        let outcome = |entry: &&Entry| {
            matches!(
                entry.kind,
                EntryKind::StepSucceeded { .. } | EntryKind::StepFailed { .. }
            )
        };
        for cut in 0..whole.entries.len() {
            let prefix = whole.entries[..cut].to_vec();
            let has_open_intent = prefix.iter().any(|entry| {
                matches!(entry.kind, EntryKind::CallIntended { .. })
                    && !prefix.iter().any(|other| {
                        other.key == entry.key && other.at >= entry.at && outcome(&other)
                    })
            });
            if has_open_intent {
                continue;
            }
            let used = prefix.iter().filter(outcome).count();
            let resumed = self.run(prefix, used);
            assert_eq!(resumed.ending, whole.ending, "resumed after {cut} entries");
            assert_eq!(
                resumed.entries, whole.entries,
                "resumed after {cut} entries"
            );
        }
        whole
    }
}

pub(super) fn done(output: Value) -> Answer {
    Answer::Called(Called::Done { output })
}

pub(super) fn refused(retry: Option<u64>) -> Answer {
    let failure = Failure::new("refused", "no");
    Answer::Called(Called::Failed {
        failure,
        retry: retry.map(Duration::from_secs),
    })
}

pub(super) fn doubtful() -> Answer {
    Answer::Called(Called::Doubtful {
        failure: Failure::new("reset", "connection reset"),
    })
}
