//! What stands in `{{ }}` to a [`Term`].
//!
//! In: a placeholder's text. Out: a path or a helper call, and findings.
//! Always true: the template library only parses; names, arguments and types are checked here.

use std::sync::Arc;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path as TemplatePath, PathSeg, Template};

use super::codes::{BAD_TEMPLATE, UNKNOWN_HELPER, WRONG_ARGUMENTS};
use super::infer::{Compiler, Inferred};
use super::path::split_root;
use super::scan::{OPTIONAL, mark_optional};
use super::term::{Segment, Term};
use super::{call, helpers};
use crate::data::Value;
use crate::diagnostic::did_you_mean;

/// A placeholder while it is lowered.
pub(super) struct Placeholder<'t> {
    /// Where it begins in the whole text.
    offset: usize,
    /// What stands in it.
    inner: &'t str,
    /// How far into it lowering has come, so that repeated words are underlined in turn.
    seen: usize,
}

impl Placeholder<'_> {
    /// Where a word of the placeholder stands in the whole text.
    fn place(&mut self, word: &str) -> (usize, usize) {
        match self.inner[self.seen..]
            .find(word)
            .filter(|_| !word.is_empty())
        {
            Some(at) => {
                let start = self.seen + at;
                self.seen = start + word.len();
                (self.offset + start, word.len())
            }
            None => (self.offset, self.inner.len()),
        }
    }
}

/// Lowers what stands in a placeholder.
pub(super) fn lower(compiler: &mut Compiler<'_>, offset: usize, inner: &str) -> Inferred {
    let mut placeholder = Placeholder {
        offset,
        inner,
        seen: 0,
    };
    let marked = match mark_optional(inner) {
        Ok(marked) => marked,
        Err(mut mistake) => {
            mistake.offset += offset;
            return compiler.refuse(mistake);
        }
    };
    let parsed = Template::compile(&format!("{{{{{marked}}}}}")).ok();
    let mut elements = parsed.map(|template| template.elements).unwrap_or_default();
    match (elements.pop(), elements.is_empty()) {
        (Some(TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call)), true) => {
            lower_call(compiler, &mut placeholder, &call)
        }
        _ => unreadable(compiler, offset, inner),
    }
}

/// Says what is probably wrong with a placeholder that the library cannot read.
fn unreadable(compiler: &mut Compiler<'_>, offset: usize, inner: &str) -> Inferred {
    let operators = [
        ("==", "eq"),
        ("!=", "ne"),
        ("<=", "le"),
        (">=", "ge"),
        ("&&", "and"),
        ("||", "or"),
        ("+", "add"),
        (" - ", "subtract"),
        ("*", "multiply"),
        (" / ", "divide"),
        ("<", "lt"),
        (">", "gt"),
        ("|", "a helper"),
    ];
    let help = match operators
        .iter()
        .find(|(operator, _)| inner.contains(operator))
    {
        Some((operator, "a helper")) => {
            format!(
                "there is no `{operator}`; the helper comes first: `{{{{lowercase input.email}}}}`"
            )
        }
        Some((operator, helper)) => {
            format!("there is no `{operator}`; write the helper first: `{{{{{helper} a b}}}}`")
        }
        None if inner.trim().is_empty() => "write a path such as `{{input.email}}`".to_owned(),
        None if inner.contains('(') != inner.contains(')') => "close every bracket".to_owned(),
        None => "write a path (`{{steps.user.email}}`) or a helper with its arguments \
                 (`{{join items \", \"}}`)"
            .to_owned(),
    };
    let message = format!("`{{{{{inner}}}}}` cannot be read");
    compiler.error(BAD_TEMPLATE, offset, inner.len(), message, help);
    Inferred::unknown()
}

fn lower_call(
    compiler: &mut Compiler<'_>,
    placeholder: &mut Placeholder<'_>,
    template: &HelperTemplate,
) -> Inferred {
    let plain = template.params.is_empty() && template.hash.is_empty();
    if plain && !matches!(template.name, Parameter::Name(_)) {
        return lower_parameter(compiler, placeholder, &template.name);
    }
    let Some(name) = template.name.as_name() else {
        return unreadable(compiler, placeholder.offset, placeholder.inner);
    };
    if name.starts_with(OPTIONAL) {
        let mut inferred = match template.params.first() {
            Some(parameter) => lower_parameter(compiler, placeholder, parameter),
            None => return unreadable(compiler, placeholder.offset, placeholder.inner),
        };
        inferred.allow_absence();
        return inferred;
    }
    let place = placeholder.place(name);
    if let Some(key) = template.hash.keys().min() {
        let message = format!("helpers take no named arguments such as `{key}=`");
        let help = "write the arguments one after the other".to_owned();
        compiler.error(WRONG_ARGUMENTS, place.0, place.1, message, help);
        return Inferred::unknown();
    }
    let arguments: Vec<(Inferred, (usize, usize))> = template
        .params
        .iter()
        .map(|parameter| {
            let begin = placeholder.seen;
            let inferred = lower_parameter(compiler, placeholder, parameter);
            let end = placeholder.seen.max(begin);
            let text = &placeholder.inner[begin..end];
            let skipped = text.len() - text.trim_start().len();
            (
                inferred,
                (placeholder.offset + begin + skipped, text.trim().len()),
            )
        })
        .collect();
    match helpers::find(name) {
        Some(helper) => call::call(compiler, helper, arguments, place),
        None => unknown_helper(compiler, name, place),
    }
}

fn unknown_helper(compiler: &mut Compiler<'_>, name: &str, place: (usize, usize)) -> Inferred {
    let known = helpers::all().map(|helper| helper.name);
    let help = match (helpers::elsewhere(name), did_you_mean(name, known)) {
        (Some(meant), _) => meant.to_owned(),
        (_, Some(meant)) => format!("did you mean `{meant}`?"),
        _ => "the reference lists all helpers".to_owned(),
    };
    let message = format!("there is no helper `{name}`");
    compiler.error(UNKNOWN_HELPER, place.0, place.1, message, help);
    Inferred::unknown()
}

fn lower_parameter(
    compiler: &mut Compiler<'_>,
    placeholder: &mut Placeholder<'_>,
    parameter: &Parameter,
) -> Inferred {
    match parameter {
        Parameter::Literal(value) => {
            pass_literal(placeholder, value);
            Inferred::fixed(value.clone())
        }
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(call) => lower_call(compiler, placeholder, call),
            _ => unreadable(compiler, placeholder.offset, placeholder.inner),
        },
        Parameter::Path(path) => lower_path(compiler, placeholder, path),
        Parameter::Name(name) => {
            let place = placeholder.place(name);
            unknown_helper(compiler, name, place)
        }
        _ => unreadable(compiler, placeholder.offset, placeholder.inner),
    }
}

/// Moves past a literal, whose spelling the library does not keep.
fn pass_literal(placeholder: &mut Placeholder<'_>, value: &Value) {
    let rest = &placeholder.inner[placeholder.seen..];
    let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '(']).len();
    let rest = &rest[skipped..];
    let len = match value {
        Value::String(_) => {
            let quote = rest.chars().next().unwrap_or('"');
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == quote && !escaped;
                escaped = *c == '\\' && !escaped;
                closes
            });
            end.map_or(0, |(at, c)| at + c.len_utf8())
        }
        Value::Array(_) | Value::Object(_) => 0,
        _ => rest.find([' ', ')', '\t', '\n']).unwrap_or(rest.len()),
    };
    placeholder.seen += skipped + len;
}

fn lower_path(
    compiler: &mut Compiler<'_>,
    placeholder: &mut Placeholder<'_>,
    path: &TemplatePath,
) -> Inferred {
    let (parts, raw) = match path {
        TemplatePath::Relative((parts, raw)) => (parts, raw),
        TemplatePath::Local((_, _, raw)) => {
            let place = placeholder.place(raw);
            return no_such_path(compiler, raw, place);
        }
    };
    let marker = format!(".{OPTIONAL}");
    let written = raw.strip_suffix(&marker).unwrap_or(raw);
    let place = placeholder.place(written);
    let mut names = Vec::new();
    for part in parts {
        match part {
            PathSeg::Named(name) => names.push(name.clone()),
            _ => return no_such_path(compiler, written, place),
        }
    }
    let optional = names
        .last()
        .is_some_and(|name| *name == OPTIONAL.to_string());
    if optional {
        placeholder.seen += 1;
        names.pop();
    }
    if names.is_empty()
        || has_slash(written)
        || written.starts_with(['@', '.'])
        || starts_this(written)
    {
        return no_such_path(compiler, written, place);
    }
    let known_root = compiler.names.roots().contains(&names[0]);
    if names.len() == 1 && !known_root {
        if let Some(helper) = helpers::find(&names[0]) {
            return call::call(compiler, helper, Vec::new(), place);
        }
        if names[0].parse::<f64>().is_ok() || ["true", "false", "null"].contains(&written) {
            let message = format!("`{written}` is a fixed value and needs no braces");
            compiler.error(
                BAD_TEMPLATE,
                place.0,
                place.1,
                message,
                format!("write {written}"),
            );
            return Inferred::unknown();
        }
    }
    if names[0] == "$" {
        let help = format!("write `{{{{{}}}}}`", written.trim_start_matches("$."));
        let message = "inside `{{ }}` a path has no `$.`".to_owned();
        compiler.error(BAD_TEMPLATE, place.0, place.1, message, help);
        return Inferred::unknown();
    }
    let segments = names.into_iter().map(Segment::Key).collect();
    let source = if optional {
        format!("{written}?")
    } else {
        written.to_owned()
    };
    match split_root(&source, segments, optional) {
        Ok(path) => compiler.path(path, place.0),
        Err(mut mistake) => {
            (mistake.offset, mistake.len) = place;
            mistake.help = mistake.help.replace("`$.", "`");
            compiler.refuse(mistake)
        }
    }
}

fn starts_this(written: &str) -> bool {
    written == "this" || written.starts_with("this.") || written.starts_with("this/")
}

/// Whether a `/` joins names; inside `[ ]` it is part of a name.
fn has_slash(written: &str) -> bool {
    let mut inside = false;
    written.chars().any(|c| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == '/' && !inside
    })
}

fn no_such_path(compiler: &mut Compiler<'_>, written: &str, place: (usize, usize)) -> Inferred {
    let help = if written.starts_with('@') {
        "inside a loop write `loop.index`, `loop.first` or `loop.last`".to_owned()
    } else if written.starts_with("this") || written.starts_with('.') {
        "a path begins with a root, such as `input.email`; there is no `this` and no `../`"
            .to_owned()
    } else {
        format!("join names by dots: `{}`", written.replace('/', "."))
    };
    let message = format!("`{written}` is not a path");
    compiler.error(BAD_TEMPLATE, place.0, place.1, message, help);
    Inferred::unknown()
}

/// The text of a call, for errors while a job runs.
pub(super) fn call_source(name: &str, arguments: &[Term]) -> Arc<str> {
    let mut source = name.to_owned();
    for argument in arguments {
        source.push(' ');
        match argument {
            Term::Call(call) if !call.arguments.is_empty() => {
                source.push_str(&format!("({})", call.source));
            }
            other => source.push_str(&other.source()),
        }
    }
    Arc::from(source)
}
