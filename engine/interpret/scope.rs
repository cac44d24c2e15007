//! Where expressions find their values while a job runs.
//!
//! Always true: a frame and each iteration of a loop have a layer of names of their own; branches
//! share the layer they stand in. `now` is the time of the last completed entry on the way here.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Moment;
use crate::compile::Recipe;
use crate::data::Value;
use crate::expression::Scope;
use crate::journal::EntryKey;

use super::Job;
use super::ask::Ask;
use super::desk::Surroundings;
use super::effect::EffectKind;
use super::path::Path;

/// A recipe under way: the root one, or one that was called.
pub(super) struct Frame<'a> {
    pub(super) job: &'a Job,
    pub(super) recipe: &'a Recipe,
    pub(super) input: Arc<Value>,
    pub(super) depth: u32,
    /// Whether a preview passed a place where the recipe may have returned.
    pub(super) may_have_ended: AtomicBool,
}

/// A layer of names.
pub(super) struct Layer<'a> {
    pub(super) frame: &'a Frame<'a>,
    parent: Option<&'a Layer<'a>>,
    /// Whether step results and variables are kept in the layer above.
    is_transparent: bool,
    /// Whether a doubtful end is a failure that an enclosing `catch` named.
    pub(super) catches_unknown: bool,
    names: Mutex<Names>,
    now: AtomicI64,
    surroundings: Surroundings,
}

#[derive(Default)]
struct Names {
    steps: HashMap<Arc<str>, Arc<Value>>,
    vars: HashMap<String, Arc<Value>>,
    roots: Vec<(Arc<str>, Arc<Value>)>,
}

/// The names that a place sees, as they were at one time.
pub(super) struct Snapshot {
    steps: HashMap<Arc<str>, Arc<Value>>,
    vars: Vec<HashMap<String, Arc<Value>>>,
}

impl<'a> Layer<'a> {
    /// The first layer of a frame.
    pub(super) fn of_frame(
        frame: &'a Frame<'a>,
        now: Moment,
        catches_unknown: bool,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            frame,
            parent: None,
            is_transparent: false,
            catches_unknown,
            names: Mutex::default(),
            now: AtomicI64::new(now.0),
            surroundings,
        }
    }

    /// A layer for one iteration, with the loop's names.
    pub(super) fn of_iteration(
        &'a self,
        roots: Vec<(Arc<str>, Arc<Value>)>,
        now: Moment,
    ) -> Layer<'a> {
        Layer {
            frame: self.frame,
            parent: Some(self),
            is_transparent: false,
            catches_unknown: self.catches_unknown,
            names: Mutex::new(Names {
                roots,
                ..Names::default()
            }),
            now: AtomicI64::new(now.0),
            surroundings: self.surroundings.clone(),
        }
    }

    /// A layer that only adds roots or the promise to catch doubtful ends.
    pub(super) fn of_branch(
        &'a self,
        roots: Vec<(Arc<str>, Arc<Value>)>,
        catches_unknown: bool,
    ) -> Layer<'a> {
        Layer {
            is_transparent: true,
            catches_unknown,
            ..self.of_iteration(roots, self.now())
        }
    }

    /// A layer inside a step that has a time limit.
    pub(super) fn of_scope(&'a self, scope: u64) -> Layer<'a> {
        let around = self.surroundings.scopes.iter().copied();
        let surroundings = Surroundings {
            scopes: around.chain([scope]).collect(),
            ..self.surroundings.clone()
        };
        Layer {
            surroundings,
            ..self.of_branch(Vec::new(), self.catches_unknown)
        }
    }

    /// A layer for cleaning up, which runs even if the job is ended early or a time is up.
    pub(super) fn of_cleaning(&'a self) -> Layer<'a> {
        let surroundings = Surroundings {
            is_cleaning: true,
            ..Surroundings::default()
        };
        Layer {
            surroundings,
            ..self.of_branch(Vec::new(), self.catches_unknown)
        }
    }

    /// What decides whether this place is to end early.
    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Hands out an effect and waits for its answer; `None` if this place is to end early.
    pub(super) fn ask(&self, key: EntryKey, kind: EffectKind) -> Ask<'_> {
        let surroundings = self.surroundings.clone();
        self.frame.job.desk.ask(key, kind, surroundings)
    }

    /// Whether this place is to end early, so that nothing new may begin here.
    pub(super) fn begins_nothing(&self) -> bool {
        self.frame.job.desk.begins_nothing(&self.surroundings)
    }

    /// Whether this place is to be left at once.
    pub(super) fn is_left(&self) -> bool {
        self.frame.job.desk.is_left(&self.surroundings)
    }

    /// The time of the last completed entry on the way here.
    pub(super) fn now(&self) -> Moment {
        Moment(self.now.load(Ordering::Relaxed))
    }

    /// Takes note of a completed entry.
    pub(super) fn tick(&self, at: Moment) {
        self.now.fetch_max(at.0, Ordering::Relaxed);
        if self.is_transparent
            && let Some(parent) = self.parent
        {
            parent.tick(at);
        }
    }

    /// Keeps a step's result, or forgets it.
    pub(super) fn put_step(&self, id: &Arc<str>, value: Option<Value>) {
        let mut names = self.owner().names();
        match value {
            Some(value) => names.steps.insert(id.clone(), Arc::new(value)),
            None => names.steps.remove(id),
        };
    }

    /// Gives a variable a value: where the name was set before, else in this layer.
    pub(super) fn set(&self, name: &str, value: Option<Value>) {
        let owner = self.owner();
        let mut layer = Some(owner);
        while let Some(candidate) = layer {
            let mut names = candidate.names();
            if names.vars.contains_key(name) {
                match value {
                    Some(value) => names.vars.insert(name.to_owned(), Arc::new(value)),
                    None => names.vars.remove(name),
                };
                return;
            }
            layer = candidate.parent;
        }
        if let Some(value) = value {
            owner.names().vars.insert(name.to_owned(), Arc::new(value));
        }
    }

    /// What the steps here have given so far, and all variables.
    pub(super) fn snapshot(&self) -> Snapshot {
        let owner = self.owner();
        let steps = owner.names().steps.clone();
        let layers = std::iter::successors(Some(owner), |layer| layer.parent);
        let vars = layers.map(|layer| layer.names().vars.clone()).collect();
        Snapshot { steps, vars }
    }

    /// Forgets what was given and set since.
    pub(super) fn restore(&self, before: Snapshot) {
        let owner = self.owner();
        owner.names().steps = before.steps;
        let layers = std::iter::successors(Some(owner), |layer| layer.parent);
        for (layer, vars) in layers.zip(before.vars) {
            layer.names().vars = vars;
        }
    }

    /// What a variable stands at here.
    pub(super) fn var(&self, name: &str) -> Option<Arc<Value>> {
        self.look_up("vars", Some(name))
    }

    /// The layer as the scope of one step's expressions.
    pub(super) fn scope(&'a self, path: &'a Path<'a>) -> StepScope<'a> {
        StepScope {
            layer: self,
            path,
            uuids: Cell::new(0),
        }
    }

    fn owner(&self) -> &Self {
        match self.parent {
            Some(parent) if self.is_transparent => parent.owner(),
            _ => self,
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_up(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        let found = {
            let names = self.names();
            match (root, member) {
                ("steps", Some(id)) => names.steps.get(id).cloned(),
                ("vars", Some(name)) => names.vars.get(name).cloned(),
                _ => names
                    .roots
                    .iter()
                    .find(|(name, _)| **name == *root)
                    .map(|(_, v)| v.clone()),
            }
        };
        found.or_else(|| self.parent?.look_up(root, member))
    }
}

/// The scope of the expressions of one step.
pub(super) struct StepScope<'a> {
    layer: &'a Layer<'a>,
    path: &'a Path<'a>,
    uuids: Cell<u32>,
}

impl Scope for StepScope<'_> {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        let frame = self.layer.frame;
        match root {
            "input" => Some(frame.input.clone()),
            "job" => Some(frame.job.value.clone()),
            "trigger" if frame.depth == 0 => frame.job.event.clone(),
            "settings" => frame.job.setting(frame.recipe.name.project(), member?),
            _ => self.layer.look_up(root, member),
        }
    }

    fn now(&self) -> Moment {
        self.layer.now()
    }

    fn timezone(&self) -> &str {
        &self.layer.frame.recipe.timezone
    }

    fn is_preview(&self) -> bool {
        self.layer.frame.job.is_preview
    }

    fn uuid(&self) -> String {
        let occurrence = self.uuids.get();
        self.uuids.set(occurrence + 1);
        let job = self.layer.frame.job.id.as_str();
        let hash = self.path.stable_hash(job, &format!("uuid {occurrence}"));
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, hash.as_bytes()).to_string()
    }
}

/// A scope with more roots on top: `item` and `index` of a `transform`.
pub(super) struct ItemScope<'a> {
    pub(super) below: &'a dyn Scope,
    pub(super) item: Arc<Value>,
    pub(super) index: Arc<Value>,
}

impl Scope for ItemScope<'_> {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        match root {
            "item" => Some(self.item.clone()),
            "index" => Some(self.index.clone()),
            _ => self.below.find(root, member),
        }
    }

    fn now(&self) -> Moment {
        self.below.now()
    }

    fn timezone(&self) -> &str {
        self.below.timezone()
    }

    fn is_preview(&self) -> bool {
        self.below.is_preview()
    }

    fn uuid(&self) -> String {
        self.below.uuid()
    }
}
