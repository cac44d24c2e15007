//! A driver that is killed at random moments, with a world that answers by place.
//!
//! In: a program, a seed. Out: how the job ended, what the world was asked for, what the journal
//! held. The driver does as the runner does: it commits now and then, always before a call that
//! must not happen twice, and what was not committed is lost when it is killed.
//! Always true: the same place gets the same answer at the same time, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::keeping::Folding;
use super::super::*;
use super::world::World;
use crate::connector::Effect as Repeats;
use crate::data::digest;
use crate::journal::{Decision, append, drop_folded};

/// Numbers that look random and follow from a seed (splitmix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn comes(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// How often, in percent of its moves, the driver does what it may do at any time.
#[derive(Clone, Copy)]
pub(super) struct Habits {
    pub(super) commits: usize,
    pub(super) folds: usize,
    pub(super) dies: usize,
}

/// What a job came to.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) ending: Option<Ending>,
    /// What each place was asked for, by place.
    pub(super) asked: BTreeMap<String, Value>,
    /// How often each call that must not happen twice was carried out.
    pub(super) applied: BTreeMap<String, u64>,
    pub(super) deaths: u64,
    pub(super) folds: u64,
    /// The most entries that the journal held at once.
    pub(super) entries_max: usize,
    pub(super) journal: Vec<Entry>,
}

struct Driver<'a> {
    world: &'a World,
    chance: Chance,
    habits: Habits,
    folding: Folding,
    came: Came,
    machine: Machine,
    pending: Vec<Entry>,
    waiting: Vec<Effect>,
    settled: BTreeSet<String>,
    /// What calls that must not happen twice gave, by place.
    applied_at: BTreeMap<String, Value>,
    is_forgetful: bool,
}

/// Runs a job to its end, over as many deaths as come.
pub(super) fn run(world: &World, seed: u64, habits: Habits, folding: Folding) -> Came {
    let mut driver = Driver {
        world,
        chance: Chance(seed),
        habits,
        folding,
        came: Came::default(),
        machine: machine(world, Vec::new(), folding),
        pending: Vec::new(),
        waiting: Vec::new(),
        settled: BTreeSet::new(),
        applied_at: BTreeMap::new(),
        is_forgetful: habits.dies > 0,
    };
    for _ in 0..1_000_000 {
        if driver.goes_on() {
            return driver.came;
        }
    }
    panic!("seed {seed}: the job does not end");
}

fn machine(world: &World, entries: Vec<Entry>, folding: Folding) -> Machine {
    Machine::with_trace(world.start(), entries, folding, None)
}

impl Driver<'_> {
    /// Makes one move; whether the job has ended.
    fn goes_on(&mut self) -> bool {
        let turn = self.machine.turn(Moment(0));
        self.pending.extend(turn.entries);
        self.waiting.extend(turn.effects);
        if let Some(ending) = turn.ending {
            self.commit(true);
            self.came.ending = Some(ending);
            return true;
        }
        if self.chance.comes(self.habits.commits) {
            let folds = self.chance.comes(self.habits.folds);
            self.commit(folds);
        }
        if self.is_forgetful && self.chance.comes(self.habits.dies) {
            self.die();
            return false;
        }
        if turn.has_more_work {
            return false;
        }
        assert!(!self.waiting.is_empty(), "the job waits for nothing");
        let at = self.chance.below(self.waiting.len());
        let effect = self.waiting.swap_remove(at);
        let is_once = matches!(
            &effect.kind, EffectKind::Call(call) if call.action.effect == Repeats::Once
        );
        if is_once {
            let folds = self.chance.comes(self.habits.folds);
            self.commit(folds);
        }
        let (at, answer) = self.answer(&effect);
        if is_once && self.is_forgetful && self.chance.comes(self.habits.dies) {
            // The vendor did it, and nobody knows.
            self.die();
            return false;
        }
        self.machine.answer(effect.number, at, answer);
        false
    }

    fn commit(&mut self, folds: bool) {
        let mut pending = std::mem::take(&mut self.pending);
        if folds {
            let folded = self.machine.fold();
            self.came.folds += u64::from(!folded.is_empty());
            drop_folded(&mut pending, &folded);
            pending.extend(folded);
        }
        for entry in &pending {
            if matches!(entry.kind, EntryKind::StepSucceeded { .. }) {
                self.settled.insert(entry.key.to_string());
            }
        }
        append(&mut self.came.journal, pending);
        let count = self.came.journal.len();
        self.came.entries_max = self.came.entries_max.max(count);
    }

    fn die(&mut self) {
        self.came.deaths += 1;
        self.pending.clear();
        self.waiting.clear();
        self.machine = machine(self.world, self.came.journal.clone(), self.folding);
    }

    /// What the world says, and when: by place alone.
    fn answer(&mut self, effect: &Effect) -> (Moment, Answer) {
        let key = effect.key.to_string();
        let place = without_attempts(&key);
        let number = number_of(&place);
        let at = Moment((number % 1_000) as i64 * 1_000_000);
        let answer = match &effect.kind {
            EffectKind::Timer { until } => return (*until, Answer::Fired),
            EffectKind::Hold(_) => Answer::Granted,
            EffectKind::Verify(call) => {
                let is_there = self.came.applied.contains_key(&call.call_key);
                Answer::Verified(match is_there {
                    true => Verified::Applied(json!({ "id": id_of(&call.call_key) })),
                    false => Verified::NotApplied,
                })
            }
            EffectKind::Decision => Answer::Decided {
                decision: match self.applied_at.get(&place) {
                    Some(output) => Decision::Happened {
                        output: output.clone(),
                    },
                    None => Decision::Again,
                },
                by: "ada".into(),
            },
            EffectKind::Call(call) => {
                assert!(!self.settled.contains(&key), "`{key}` was recorded");
                let before = self.came.asked.insert(place.clone(), call.input.clone());
                assert!(
                    before.is_none_or(|before| before == call.input),
                    "`{key}` is asked for something else"
                );
                if call.action.effect == Repeats::Once {
                    let applied = self.came.applied.entry(call.call_key.clone());
                    *applied.or_default() += 1;
                    let output = json!({ "id": id_of(&call.call_key) });
                    self.applied_at.insert(place, output);
                }
                Answer::Called(called(call, number))
            }
            other => panic!("nothing here asks for {other:?}"),
        };
        (at, answer)
    }
}

fn called(call: &Call, number: u64) -> Called {
    if call.input.get("name") == Some(&json!("bad")) {
        return Called::Failed {
            failure: Failure::new("refused", "bad"),
            retry: None,
        };
    }
    let output = match call.action.action.as_str() {
        "list_things" => page(call),
        "read_thing" => {
            json!({ "found": true, "id": call.input["id"], "name": format!("n{}", number % 7) })
        }
        "keep_thing" => json!({ "id": call.input["id"] }),
        _ => json!({ "id": id_of(&call.call_key) }),
    };
    Called::Done { output }
}

/// Seven pages of different lengths, one of them empty.
fn page(call: &Call) -> Value {
    let number = call.cursor.as_ref().and_then(Value::as_u64).unwrap_or(1);
    let count = [3, 5, 0, 4, 1, 6, 2][number as usize - 1];
    let item = |place: u64| json!({ "id": number * 100 + place, "name": format!("p{place}") });
    let next = (number < 7).then_some(number + 1);
    json!({ "items": (0..count).map(item).collect::<Vec<_>>(), "next": next })
}

/// `each[3]/made~2` as `each[3]/made`: a further try is of the same call.
fn without_attempts(key: &str) -> String {
    let parts = key.split('/').map(|part| part.split('~').next());
    parts
        .map(Option::unwrap_or_default)
        .collect::<Vec<_>>()
        .join("/")
}

fn number_of(text: &str) -> u64 {
    u64::from_str_radix(&digest(text.as_bytes())[..8], 16).unwrap()
}

fn id_of(call_key: &str) -> u64 {
    number_of(call_key) % 100_000
}
