//! A connection's values, its references followed.
//!
//! In: a connection, its connector, and who may read files and the environment. Out: the values, or
//! every field that cannot be had, each with what to do about it.
//! Always true: a secret is learned as soon as it is read, so that it is shown nowhere.

use std::sync::Arc;

use super::Connector;
use super::connections::Connection;
use super::field_source::{FieldSource, References};
use super::trouble::Trouble;
use crate::data::{Object, Secret, Value};
use crate::mask::learn_secret;
use crate::names::ConnectionName;
use crate::shape::convert;

/// A connection's values, ready for a request.
#[derive(Clone)]
pub struct Resolved {
    /// The root `connection`.
    pub value: Arc<Value>,
    /// The texts that must not be shown.
    pub secrets: Vec<Secret>,
}

/// A field of a connection that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What is wrong, with the connection and the field.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Connection {
    /// The values, references followed. Every field that cannot be had is named.
    pub fn resolve(
        &self,
        connector: &Connector,
        references: &dyn References,
    ) -> Result<Resolved, Vec<Trouble>> {
        self.follow(connector, references).map_err(|lacks| {
            let troubles = lacks.into_iter();
            let trouble = |lack: Lack| Trouble::new("connection_incomplete", lack.message);
            troubles.map(trouble).collect()
        })
    }

    /// Every field that cannot be had, with what to do about it.
    pub fn lacks(&self, connector: &Connector, references: &dyn References) -> Vec<Lack> {
        self.follow(connector, references).err().unwrap_or_default()
    }

    fn follow(
        &self,
        connector: &Connector,
        references: &dyn References,
    ) -> Result<Resolved, Vec<Lack>> {
        let mut value = Object::new();
        let mut secrets = Vec::new();
        let wrong = |why: &String| Lack {
            message: format!("{why} (connections.yaml)"),
            help: format!("mend connection `{}` in connections.yaml", self.name),
        };
        let mut lacks: Vec<Lack> = self.mistakes.iter().map(wrong).collect();
        for (name, field) in &connector.connection {
            let source = self.fields.get(name);
            let given = match source {
                Some(source) => source.follow(references).map(Some),
                None => Ok(field.default.clone()),
            };
            let converted = given.and_then(|given| match given {
                Some(given) => convert(&field.shape, given).map_err(|why| match source {
                    None | Some(FieldSource::Plain(_)) => why,
                    // What stands elsewhere may be meant for nobody who reads this.
                    Some(_) => format!("expected {}, and something else stands there", field.shape),
                }),
                None => Ok(None),
            });
            let why = match converted {
                Ok(Some(found)) => {
                    if let (true, Value::String(text)) = (field.secret, &found) {
                        learn_secret(text);
                        secrets.push(Secret::new(text));
                    }
                    value.insert(name.clone(), found);
                    continue;
                }
                Ok(None) if field.may_be_left_out() => continue,
                Ok(None) => "is missing or empty".to_owned(),
                Err(why) => why,
            };
            lacks.push(Lack {
                message: format!("connection `{}`: field `{name}`: {why}", self.name),
                help: help(&self.name, name, source),
            });
        }
        if !lacks.is_empty() {
            return Err(lacks);
        }
        Ok(Resolved {
            value: Arc::new(Value::Object(value)),
            secrets,
        })
    }
}

impl FieldSource {
    fn follow(&self, references: &dyn References) -> Result<Value, String> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Environment(variable) => match references.environment(variable) {
                Some(text) => Ok(text.into()),
                None => Err(format!("the environment variable `{variable}` is not set")),
            },
            Self::File(path) => references
                .file(path)
                .map(|text| text.trim().to_owned().into())
                .map_err(|why| format!("the file `{path}` cannot be read: {why}")),
            Self::Sealed(name) => match references.sealed(name) {
                Some(secret) => Ok(secret.reveal().into()),
                None => Err(format!("the secret `{name}` was not given yet")),
            },
        }
    }
}

/// What to do about a field, by where it comes from.
fn help(connection: &ConnectionName, field: &str, source: Option<&FieldSource>) -> String {
    match source {
        None | Some(FieldSource::Plain(_)) => {
            format!("write `{field}` of connection `{connection}` in connections.yaml")
        }
        Some(FieldSource::Environment(variable)) => format!(
            "set `{variable}` in the environment of the server and start it again, or write another \
             source of `{field}` into connections.yaml"
        ),
        Some(FieldSource::File(path)) => format!(
            "put the value of `{field}` into the file `{path}` of the workspace, where the server \
             may read it, or write another path into connections.yaml"
        ),
        Some(FieldSource::Sealed(name)) => format!("give it with `recipes secrets set {name}`"),
    }
}
