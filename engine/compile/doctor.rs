//! Whether the recipe that a project names as its doctor can be one.
//!
//! In: a project file, and the doctor with all that it calls. Out: findings.
//! Always true: a doctor without findings takes nothing, tells what it found and changes nothing.

use super::codes;
use super::recipe::{Program, Recipe};
use super::steps::StepKind;
use crate::connector::Effect;
use crate::diagnostic::{Report, Span};
use crate::recipe::ProjectFile;
use crate::shape::Shape;

/// What a doctor gives: a list of `{ level, text, help }`.
const FINDINGS: &str = "findings";

/// The words for how bad a finding is.
const LEVELS: [&str; 3] = ["error", "warning", "note"];

/// Reports a doctor that is none: it must be there, take nothing, tell findings and change nothing.
pub fn check_doctor(file: &ProjectFile, program: Option<&Program>, report: &mut Report) {
    let Some((name, span)) = &file.doctor else {
        return;
    };
    let Some(program) = program else {
        let message = format!("the doctor `{name}` is no recipe of this project without errors");
        let help = format!("add recipes/{}/{name}.yaml, or mend it", file.name);
        return refuse(*span, message, &help, report);
    };
    let doctor = program.root();
    if let Some(input) = must_be_given(&doctor.input) {
        let message = format!("the doctor `{name}` wants the input `{input}`, and is given none");
        refuse(
            *span,
            message,
            "leave its input out, or give it a default",
            report,
        );
    }
    if !tells_findings(doctor) {
        let message = format!("the doctor `{name}` does not give `{FINDINGS}`");
        let help = "declare `output: { findings: [{ level: { enum: [error, warning, note] }, \
                    text: string, help: string? }] }`";
        refuse(*span, message, help, report);
    }
    for recipe in program.recipes.values() {
        recipe.for_each_step(&mut |step| {
            if let Some(what) = changed_by(&step.kind) {
                let message = format!("the doctor `{name}` {what} ({})", step.place);
                refuse(*span, message, "a doctor only looks", report);
            }
        });
    }
}

fn refuse(span: Span, message: String, help: &str, report: &mut Report) {
    report.error(codes::BAD_DOCTOR, span, message).help(help);
}

fn must_be_given(input: &Shape) -> Option<&str> {
    let Shape::Fields(fields) = input else {
        return None;
    };
    let mut fields = fields.iter();
    let found = fields.find(|(_, field)| !field.may_be_left_out());
    found.map(|(name, _)| name.as_str())
}

fn tells_findings(doctor: &Recipe) -> bool {
    let finding = |shape: &Shape| match shape {
        Shape::Fields(members) => {
            let text = members.get("text").map(|field| &field.shape);
            let level = members.get("level").map(|field| &field.shape);
            let are_levels = matches!(level, Some(Shape::Enum(values))
                if values.iter().all(|value| value.as_str().is_some_and(|v| LEVELS.contains(&v))));
            text == Some(&Shape::String) && are_levels
        }
        _ => false,
    };
    match &doctor.output {
        Shape::Fields(fields) => fields
            .get(FINDINGS)
            .and_then(|field| field.shape.element())
            .is_some_and(finding),
        _ => false,
    }
}

/// What a step would change, if it changes anything.
fn changed_by(kind: &StepKind) -> Option<String> {
    let action = kind.action();
    if let Some(action) = action.filter(|action| action.effect != Effect::Read) {
        let (connector, action) = (&action.connector, &action.action);
        return Some(format!("changes something with `{connector}.{action}`"));
    }
    match kind {
        StepKind::Table { table, operation } if !operation.is_read() => {
            Some(format!("changes rows of `{table}`"))
        }
        StepKind::Start { recipe, .. } => Some(format!("starts jobs of `{recipe}`")),
        _ => None,
    }
}
