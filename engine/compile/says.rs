//! What the values of settings mean, in words.
//!
//! In: what a project file says of each setting. Out: [`Says`]: a sentence for each value.
//! Always true: what is said fits the setting: no text for a value that it cannot have, and none
//! of a few allowed values without one.

use std::sync::Arc;

use indexmap::IndexMap;

use super::codes;
use super::entry::settings_shape;
use super::scope::member_of;
use crate::clock::Moment;
use crate::data::Value;
use crate::diagnostic::{Report, did_you_mean};
use crate::expression::{Expression, Known, Names, Scope};
use crate::recipe::ProjectFile;
use crate::shape::{Field, Shape};
use crate::source::Node;
use crate::table::{text_of_value, value_of_text};

/// What the values of one setting mean.
#[derive(Clone, Debug, Default)]
pub struct Says {
    values: Vec<(Value, Expression)>,
    any: Option<Expression>,
    absent: Option<Expression>,
}

impl Says {
    /// The sentence for a value, or for none; `None` if nothing is said of it. `settings` holds
    /// the values of the project: integration, key.
    pub fn of(&self, value: Option<&Value>, settings: &Value, now: Moment) -> Option<String> {
        let text = match value {
            None => self.absent.as_ref()?,
            Some(value) => {
                let own = self.values.iter().find(|(known, _)| known == value);
                own.map(|(_, text)| text).or(self.any.as_ref())?
            }
        };
        let around = Around {
            value,
            settings,
            now,
        };
        let said = text.evaluate(&around).ok().flatten()?;
        Some(text_of_value(&said))
    }
}

/// Compiles what is said of every setting.
pub(super) fn read(
    file: &ProjectFile,
    report: &mut Report,
) -> IndexMap<String, IndexMap<String, Says>> {
    let settings = settings_shape(&file.settings);
    let integrations = file.says.iter().map(|(integration, keys)| {
        let keys = keys.iter().filter_map(|(key, node)| {
            let field = file.settings.get(integration)?.get(key)?;
            Some((key.clone(), one(node, field, &settings, report)))
        });
        (integration.clone(), keys.collect())
    });
    integrations.collect()
}

fn one(node: &Node, field: &Field, settings: &Shape, report: &mut Report) -> Says {
    let around = NamesHere {
        value: Some(&field.shape),
        settings,
    };
    let values = node.get("values").and_then(Node::as_map);
    let mut says = Says::default();
    for (written, node) in values.unwrap_or_default() {
        match value_of_text(field, &written.text) {
            Ok(Some(value)) => says.values.push((value, text(node, &around, report))),
            Ok(None) | Err(_) => {
                let message = format!("the setting cannot be `{}`", written.text);
                let help = possible(field, &written.text);
                report
                    .error(codes::BAD_SAYING, written.span, message)
                    .help(help);
            }
        }
    }
    says.any = node.get("any").map(|node| text(node, &around, report));
    let alone = NamesHere {
        value: None,
        settings,
    };
    says.absent = node.get("absent").map(|node| text(node, &alone, report));
    check_whole(&says, node, field, report);
    says
}

fn text(node: &Node, names: &dyn Names, report: &mut Report) -> Expression {
    Expression::compile(node, names, Some(&Shape::String), report).expression
}

/// Reports allowed values of which nothing is said, and what can never be said.
fn check_whole(says: &Says, node: &Node, field: &Field, report: &mut Report) {
    let is_said = |value: &Value| says.values.iter().any(|(known, _)| known == value);
    let left = allowed(&field.shape).into_iter().find(|v| !is_said(v));
    if let (Some(value), None) = (left, &says.any) {
        let value = text_of_value(&value);
        report
            .error(
                codes::BAD_SAYING,
                node.span,
                format!("nothing is said of the value `{value}`"),
            )
            .help(format!(
                "add `{value}` below `values`, or a text for `any` other"
            ));
    }
    let may_be_absent = field.optional && field.default.is_none();
    if let (Some(absent), false) = (node.get("absent"), may_be_absent) {
        report
            .error(
                codes::BAD_SAYING,
                absent.span,
                "the setting always has a value",
            )
            .help("leave `absent` out: it is for settings that are optional and have no default");
    }
}

/// The values of a setting that has only a few.
fn allowed(shape: &Shape) -> Vec<Value> {
    match shape {
        Shape::Boolean => vec![Value::Bool(true), Value::Bool(false)],
        Shape::Enum(values) => values.clone(),
        _ => Vec::new(),
    }
}

fn possible(field: &Field, written: &str) -> String {
    let allowed: Vec<String> = allowed(&field.shape).iter().map(text_of_value).collect();
    let known = allowed.iter().map(String::as_str);
    match did_you_mean(written, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it is {}", field.shape),
    }
}

/// The names that a text may use.
struct NamesHere<'a> {
    value: Option<&'a Shape>,
    settings: &'a Shape,
}

impl Names for NamesHere<'_> {
    fn look_up(&self, root: &str, member: Option<&str>) -> Known {
        match (root, self.value) {
            ("value", Some(shape)) => Known::Shape {
                shape: shape.clone(),
                maybe: false,
            },
            ("settings", _) => member_of(root, self.settings, false, member),
            _ => Known::Unknown {
                message: format!("`{root}` is not known here"),
                help: Some(format!("here the roots are: {}", self.roots().join(", "))),
            },
        }
    }

    fn roots(&self) -> Vec<String> {
        let value = self.value.map(|_| "value".to_owned());
        value.into_iter().chain(["settings".to_owned()]).collect()
    }
}

/// The values behind those names.
struct Around<'a> {
    value: Option<&'a Value>,
    settings: &'a Value,
    now: Moment,
}

impl Scope for Around<'_> {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        match (root, member) {
            ("value", _) => self.value.cloned().map(Arc::new),
            ("settings", Some(member)) => {
                let mut all = self.settings.as_object()?.iter();
                let own = all.find(|(name, _)| name.to_lowercase() == member);
                own.map(|(_, keys)| Arc::new(keys.clone()))
            }
            _ => None,
        }
    }

    fn now(&self) -> Moment {
        self.now
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn uuid(&self) -> String {
        uuid::Uuid::nil().to_string()
    }
}
