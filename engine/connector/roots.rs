//! The roots that expressions of a connector may use, by shape and by value.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::clock::Moment;
use crate::data::Value;
use crate::diagnostic::did_you_mean;
use crate::expression::{Known, Names, Scope};
use crate::shape::{Field, Shape};

/// The roots of one place of a connector file, with their shapes.
#[derive(Clone, Debug, Default)]
pub struct Shapes(Vec<(&'static str, Shape)>);

/// The roots of one moment of a call, with their values.
#[derive(Clone, Debug)]
pub struct Values {
    roots: Vec<(&'static str, Arc<Value>)>,
    now: Moment,
    key: Arc<str>,
}

impl Shapes {
    /// These roots and one more.
    pub fn with(&self, root: &'static str, shape: Shape) -> Self {
        let mut roots = self.0.clone();
        roots.retain(|(known, _)| *known != root);
        roots.push((root, shape));
        Self(roots)
    }

    /// The root `connection`.
    pub fn connection(fields: &IndexMap<String, Field>) -> Self {
        Self::default().with("connection", Shape::Fields(fields.clone()))
    }

    /// These roots and `reply`.
    pub fn with_reply(&self) -> Self {
        let reply = IndexMap::from([
            ("status".to_owned(), Field::required(Shape::Integer)),
            ("headers".to_owned(), Field::required(Shape::Any)),
            ("body".to_owned(), Field::required(Shape::Any)),
        ]);
        self.with("reply", Shape::Fields(reply))
    }

    /// These roots and `call`.
    pub fn with_call(&self) -> Self {
        let call = IndexMap::from([("key".to_owned(), Field::required(Shape::String))]);
        self.with("call", Shape::Fields(call))
    }
}

impl Names for Shapes {
    fn look_up(&self, root: &str, _member: Option<&str>) -> Known {
        if let Some((_, shape)) = self.0.iter().find(|(known, _)| *known == root) {
            return Known::Shape {
                shape: shape.clone(),
                maybe: false,
            };
        }
        let known = self.roots();
        let help = did_you_mean(root, known.iter().map(String::as_str))
            .map(|meant| format!("did you mean `{meant}`?"))
            .unwrap_or_else(|| format!("here the roots are: {}", known.join(", ")));
        Known::Unknown {
            message: format!("`{root}` is not known here"),
            help: Some(help),
        }
    }

    fn roots(&self) -> Vec<String> {
        self.0.iter().map(|(root, _)| (*root).to_owned()).collect()
    }
}

impl Values {
    /// No roots yet. `key` is the idempotency key of the call, from which `uuid` derives.
    pub fn new(now: Moment, key: &str) -> Self {
        let call = serde_json::json!({ "key": key });
        Self {
            roots: vec![("call", Arc::new(call))],
            now,
            key: Arc::from(key),
        }
    }

    /// The idempotency key of the call.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The body of the root `reply`, if there is one.
    pub(super) fn reply_body(&self) -> Option<Value> {
        self.find("reply", None)?.get("body").cloned()
    }

    /// These roots and one more.
    pub fn with(&self, root: &'static str, value: Arc<Value>) -> Self {
        let mut values = self.clone();
        values.roots.retain(|(known, _)| *known != root);
        values.roots.push((root, value));
        values
    }
}

impl Scope for Values {
    fn find(&self, root: &str, _member: Option<&str>) -> Option<Arc<Value>> {
        self.roots
            .iter()
            .find(|(known, _)| *known == root)
            .map(|(_, value)| value.clone())
    }

    fn now(&self) -> Moment {
        self.now
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn uuid(&self) -> String {
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, self.key.as_bytes()).to_string()
    }
}
