//! What of a job is not shown: found by declaration in all that it was given and got, then hidden
//! by value wherever it turns up.
//!
//! In: a job with its journal, its program, and the steps that a replay saw. Out: a [`Masker`].
//! Always true: what nobody declared counts as personal where it comes from outside without a
//! declaration (the event of a webhook, `raw` replies), unless it is a number, a moment or a word
//! that the recipe itself uses; if the program is gone, that holds for everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::compile::{ActionRef, Foreach, ForeachSource, Program, Step, StepKind, TableOperation};
use crate::data::Value;
use crate::interpret::{ON_FAILURE, Traced};
use crate::journal::{Decision, Entry, EntryKind};
use crate::mask::{Hidden, Marked, Masker, learned_secrets};
use crate::names::RecipeName;
use crate::shape::{Field, Member, Shape};
use crate::store::JobRecord;

use super::Rooms;

/// What a step is given and gives, as declared.
pub(super) type Shapes = BTreeMap<(RecipeName, Arc<str>), (Shape, Shape)>;

/// Names of fields that are personal in one place and ordinary in many others: they are hidden
/// where their shape says so, and not wherever a field is called so.
const ORDINARY_NAMES: [&str; 9] = [
    "id", "items", "key", "name", "search", "status", "title", "type", "value",
];

/// The member of an output that holds a vendor's reply as it came.
const RAW: &str = "raw";

/// The parts of an event that somebody outside wrote.
const OUTSIDE: [&str; 4] = ["body", "query", "item", "items"];

/// All that tells what is not to be shown of a job.
pub(super) struct About<'a> {
    pub(super) record: &'a JobRecord,
    pub(super) entries: &'a [Entry],
    pub(super) program: Option<&'a Program>,
    pub(super) traced: &'a [Traced],
    pub(super) shapes: &'a Shapes,
    /// The sources of the program, by name.
    pub(super) sources: &'a BTreeMap<String, String>,
}

impl About<'_> {
    /// Takes in everything personal and secret that the job knows.
    pub(super) fn gather(&self, hidden: &mut Hidden) {
        let words = words(self.sources);
        let is_known = |text: &str| words.contains(text);
        match self.program {
            Some(program) => self.declared(program, &is_known, hidden),
            None => self.everything(&is_known, hidden),
        }
        for part in OUTSIDE
            .iter()
            .filter_map(|part| self.record.event.get(*part))
        {
            hidden.take_unknown(part, &is_known);
        }
    }

    fn declared(&self, program: &Program, is_known: &dyn Fn(&str) -> bool, hidden: &mut Hidden) {
        let marked = Marked::SecretOrPersonal;
        let root = program.root();
        hidden.gather(&root.input, &self.record.input, marked);
        if let Some(output) = self
            .record
            .ending
            .as_ref()
            .and_then(|end| end.output.as_ref())
        {
            hidden.gather(&root.output, output, marked);
        }
        let mut names = BTreeSet::new();
        for recipe in program.recipes.values() {
            marked_names(&recipe.input, &mut names);
            marked_names(&recipe.output, &mut names);
        }
        for (input, output) in self.shapes.values() {
            marked_names(input, &mut names);
            marked_names(output, &mut names);
        }
        for step in self.traced {
            let shapes = self.shapes.get(&(step.recipe.clone(), step.step.clone()));
            let parts = [
                (&step.input, shapes.map(|(input, _)| input)),
                (&step.output, shapes.map(|(_, output)| output)),
            ];
            for (value, shape) in parts {
                let Some(value) = value else { continue };
                if let Some(shape) = shape {
                    hidden.gather(shape, value, marked);
                }
                by_name(value, &names, is_known, hidden);
            }
        }
        for value in self
            .entries
            .iter()
            .filter_map(|entry| value_of(&entry.kind))
        {
            by_name(value, &names, is_known, hidden);
        }
        by_name(&self.record.event, &names, is_known, hidden);
    }

    /// Without a program nobody knows what is personal.
    fn everything(&self, is_known: &dyn Fn(&str) -> bool, hidden: &mut Hidden) {
        hidden.take_unknown(&self.record.input, is_known);
        if let Some(ending) = &self.record.ending {
            ending
                .output
                .iter()
                .for_each(|output| hidden.take_unknown(output, is_known));
        }
        for value in self
            .entries
            .iter()
            .filter_map(|entry| value_of(&entry.kind))
        {
            hidden.take_unknown(value, is_known);
        }
    }
}

/// What takes out of an event what is not to be shown of it, whatever its jobs declare.
pub(super) fn of_event(rooms: &Rooms, recipe: &RecipeName, came: &Value) -> Masker {
    let shelf = &rooms.intake.shelf;
    let program = shelf.program(recipe);
    let sources = program.map_or_else(BTreeMap::new, |program| shelf.sources(&program));
    let words = words(&sources);
    let mut hidden = Hidden::default();
    for part in OUTSIDE.iter().filter_map(|part| came.get(*part)) {
        hidden.take_unknown(part, &|text| words.contains(text));
    }
    of_hidden(&hidden)
}

/// What takes these texts out of what is shown of a program's jobs: the names that its recipes give
/// to tables, steps and one another stay whole.
pub(super) fn of_job(hidden: &Hidden, program: Option<&Program>) -> Masker {
    let names = program.map_or_else(BTreeSet::new, own_names);
    let masker = hidden.masker().sparing(names.iter().map(String::as_str));
    masker.and(&learned_secrets()).and_mails()
}

/// The names that stand in recipes and are nobody's: of recipes, steps, tables and actions.
fn own_names(program: &Program) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, recipe) in &program.recipes {
        names.insert(name.to_string());
        names.extend(name.as_str().split('/').map(str::to_owned));
        recipe.for_each_step(&mut |step: &Step| {
            names.insert(step.id.to_string());
            if let StepKind::Table { table, .. } = &step.kind {
                names.insert(table.to_string());
            }
            if let Some(action) = step.kind.action() {
                names.insert(action.action.clone());
                names.insert(format!("{}.{}", action.connector, action.action));
            }
        });
    }
    names
}

/// What takes these texts out, and with them what is shown nowhere: secrets and mail addresses.
pub(super) fn of_hidden(hidden: &Hidden) -> Masker {
    hidden.masker().and(&learned_secrets()).and_mails()
}

/// The declared input and output of every step that has them.
pub(super) fn shapes(rooms: &Rooms, program: &Program) -> Shapes {
    let tables = rooms.intake.shelf.tables();
    let mut shapes = Shapes::new();
    for (name, recipe) in &program.recipes {
        recipe.for_each_step(&mut |step: &Step| {
            let declared = match &step.kind {
                StepKind::Action { action, .. } => action_shapes(rooms, action),
                StepKind::Call { recipe, .. } | StepKind::Start { recipe, .. } => program
                    .recipes
                    .get(recipe)
                    .map(|callee| (callee.input.clone(), callee.output.clone())),
                StepKind::Await { .. } => Some((Shape::Any, ends_of(program))),
                StepKind::Table { table, operation } => tables
                    .get(table)
                    .map(|table| table_shapes(&table.row_shape(), operation)),
                StepKind::Foreach(Foreach {
                    source: ForeachSource::Action { action, .. },
                    batch,
                    ..
                }) => action_shapes(rooms, action)
                    .and_then(|(_, output)| element_shape(&output))
                    .map(|element| (Shape::Any, failed_elements(element, *batch))),
                _ => None,
            };
            if let Some(declared) = declared {
                shapes.insert((name.clone(), step.id.clone()), declared);
            }
        });
        let on_failure = recipe.on_failure.as_ref();
        if let Some(callee) = on_failure.and_then(|(callee, _)| program.recipes.get(callee)) {
            let declared = (callee.input.clone(), callee.output.clone());
            shapes.insert((name.clone(), ON_FAILURE.into()), declared);
        }
    }
    shapes
}

/// What awaited jobs give, as far as they are of recipes that the program knows: a field that one
/// of them declares to be personal is taken for personal.
fn ends_of(program: &Program) -> Shape {
    let mut fields: IndexMap<String, Field> = IndexMap::new();
    for recipe in program.recipes.values() {
        let Shape::Fields(given) = &recipe.output else {
            continue;
        };
        for (name, field) in given {
            let known = fields.entry(name.clone()).or_insert_with(|| field.clone());
            known.personal |= field.personal;
            known.secret |= field.secret;
        }
    }
    let output = Field::optional(Shape::Fields(fields));
    let results = Shape::list_of(Shape::object_of([("output", output)]));
    Shape::object_of([("results", Field::optional(results))])
}

fn action_shapes(rooms: &Rooms, action: &ActionRef) -> Option<(Shape, Shape)> {
    let connector = rooms.intake.shelf.connector(&action.connector)?;
    let action = connector.actions.get(&action.action)?;
    Some((action.input.clone(), action.output.clone()))
}

/// The shape of what a listing gives.
fn element_shape(output: &Shape) -> Option<Shape> {
    match output.member("items") {
        Member::Field(items) => items.shape.element().cloned(),
        _ => None,
    }
}

/// The shape of a loop's result, as far as elements of a listing stand in it.
fn failed_elements(element: Shape, batch: Option<u32>) -> Shape {
    let item = match batch {
        Some(_) => Shape::list_of(element),
        None => element,
    };
    let error = Shape::object_of([("item", Field::required(item))]);
    Shape::object_of([("errors", Field::required(Shape::list_of(error)))])
}

/// What an operation is given and gives, as far as it holds columns.
fn table_shapes(row: &Shape, operation: &TableOperation) -> (Shape, Shape) {
    let rows = || Shape::list_of(row.clone());
    let with = |name, shape| Shape::object_of([(name, Field::required(shape))]);
    let output = match operation {
        TableOperation::Get(_) => with("row", row.clone()),
        TableOperation::Find { .. } => with("items", rows()),
        _ => Shape::Any,
    };
    (row.clone(), output)
}

/// Whether a shape marks anything.
pub(super) fn marks(shape: &Shape) -> bool {
    match shape {
        Shape::Fields(fields) => fields
            .values()
            .any(|field| field.personal || field.secret || marks(&field.shape)),
        Shape::List(element) => marks(element),
        _ => false,
    }
}

/// The names of fields that a shape marks, but for names that are ordinary elsewhere.
fn marked_names(shape: &Shape, names: &mut BTreeSet<String>) {
    match shape {
        Shape::Fields(fields) => {
            for (name, field) in fields {
                if (field.personal || field.secret) && !ORDINARY_NAMES.contains(&name.as_str()) {
                    names.insert(name.clone());
                }
                marked_names(&field.shape, names);
            }
        }
        Shape::List(element) => marked_names(element, names),
        _ => {}
    }
}

/// Takes in the members that bear a marked name, and what came as it was.
fn by_name(
    value: &Value,
    names: &BTreeSet<String>,
    is_known: &dyn Fn(&str) -> bool,
    hidden: &mut Hidden,
) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if names.contains(name) {
                    hidden.take(value);
                } else if name == RAW {
                    hidden.take_unknown(value, is_known);
                } else {
                    by_name(value, names, is_known, hidden);
                }
            }
        }
        Value::Array(list) => list
            .iter()
            .for_each(|value| by_name(value, names, is_known, hidden)),
        _ => {}
    }
}

/// The value that an entry holds.
fn value_of(kind: &EntryKind) -> Option<&Value> {
    match kind {
        EntryKind::StepSucceeded { output } => Some(output),
        EntryKind::CallIntended { input, .. } => Some(input),
        EntryKind::LineLogged { data, .. } => data.as_ref(),
        EntryKind::LoopGathered { given } => Some(given),
        EntryKind::DecisionMade {
            decision: Decision::Happened { output },
            ..
        } => Some(output),
        _ => None,
    }
}

/// The words of the recipes themselves, such as the names of events that they wait for: what does
/// not stand in prose.
fn words(sources: &BTreeMap<String, String>) -> BTreeSet<&str> {
    let is_prose = |line: &str| {
        let line = line.trim_start().trim_start_matches("- ");
        ["#", "title:", "description:", "log:", "message:", "reason:"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '/');
    sources
        .values()
        .flat_map(|source| source.lines())
        .filter(|line| !is_prose(line))
        .flat_map(|line| line.split(move |c| !is_part(c)))
        .map(|word| word.trim_matches(':'))
        .collect()
}
