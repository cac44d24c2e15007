//! A condition on rows made of plain values, for people who look rows up.
//!
//! In: columns and the values they must have. Out: a [`Condition`] with the root `row`.
//! Always true: the values are values only; nothing in them is taken for a path or template.

use std::sync::Arc;

use super::{Refused, Table};
use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::diagnostic::{Report, Span};
use crate::expression::{Condition, Known, Names, Scope};
use crate::shape::Shape;
use crate::source::{Key, Node, NodeKind};

/// The root under which the wanted values stand until they are bound.
const WANTED: &str = "wanted";

impl Table {
    /// The rows whose columns have these values.
    pub fn having(&self, wanted: &Object) -> Result<Condition, Refused> {
        let wanted = self.given_columns(wanted)?;
        let tests = wanted.keys().map(|column| {
            let is_maybe = self
                .columns
                .get(column)
                .is_some_and(|column| column.field.optional);
            let mark = if is_maybe { "?" } else { "" };
            let operand = text(&format!("$.{WANTED}.{column}"));
            let test = vec![(key("equals"), operand)];
            (
                key(&format!("$.row.{column}{mark}")),
                node(NodeKind::Map(test)),
            )
        });
        let tree = node(NodeKind::Map(tests.collect()));
        let place = Arc::from(format!("lookup-tables/{}.yaml", self.name));
        let mut report = Report::of(&place);
        let condition = Condition::compile(&tree, &Roots(self.row_shape()), &mut report);
        if let Some(found) = report.into_diagnostics().into_iter().next() {
            return Err(Refused::new("wrong_type", found.message));
        }
        condition
            .bind(&Wanted(Arc::new(Value::Object(wanted))), &["row"])
            .map_err(|error| Refused::new("wrong_type", error.message))
    }
}

fn node(kind: NodeKind) -> Node {
    Node {
        span: Span::default(),
        plain: true,
        kind,
    }
}

fn text(text: &str) -> Node {
    node(NodeKind::Text(Arc::from(text)))
}

fn key(text: &str) -> Key {
    Key {
        span: Span::default(),
        text: Arc::from(text),
    }
}

/// The names a filter may use: a row, and the wanted values, which look like one.
struct Roots(Shape);

impl Names for Roots {
    fn look_up(&self, root: &str, member: Option<&str>) -> Known {
        match (root, member) {
            ("row" | WANTED, None) => Known::Shape {
                shape: self.0.clone(),
                maybe: false,
            },
            _ => Known::Unknown {
                message: format!("`{root}` is not known here"),
                help: None,
            },
        }
    }

    fn roots(&self) -> Vec<String> {
        vec!["row".to_owned(), WANTED.to_owned()]
    }
}

/// The wanted values, to be bound.
struct Wanted(Arc<Value>);

impl Scope for Wanted {
    fn find(&self, root: &str, _: Option<&str>) -> Option<Arc<Value>> {
        (root == WANTED).then(|| self.0.clone())
    }

    fn now(&self) -> Moment {
        Moment(0)
    }

    fn timezone(&self) -> &'static str {
        "UTC"
    }

    fn uuid(&self) -> String {
        String::new()
    }
}
