//! Steps without steps inside: tables, variables, waits, results, log lines.

use crate::clock::Moment;
use crate::compile::{LogLevel, TableOperation, Wait};
use crate::data::{Object, Value};
use crate::expression::{Condition, Expression, Scope};
use crate::journal::{EntryKind, Failure};
use crate::names::TableName;
use crate::table::{Operation, Sort};

use super::calling::wait_until;
use super::effect::{Answer, EffectKind};
use super::path::Path;
use super::scope::Layer;
use super::{Exit, Flow, succeeded};

/// The root that stays open in table conditions until the store sees the rows.
const ROW: &[&str] = &["row"];

/// Reads or changes a lookup table.
pub(super) async fn table(
    layer: &Layer<'_>,
    path: &Path<'_>,
    table: &TableName,
    operation: &TableOperation,
) -> Flow<Value> {
    let desk = &layer.frame.job.desk;
    let key = path.key();
    let recorded = desk.recorded(&key);
    if let Some((at, output)) = recorded.succeeded {
        layer.tick(at);
        return Ok(output);
    }
    if let Some((at, failure, _)) = recorded.failed {
        layer.tick(at);
        return Err(failure.into());
    }
    let operation = close(operation, &layer.scope(path))?;
    super::preview::check_known(layer, &operation)?;
    let table = table.clone();
    let is_read = operation.is_read();
    let kind = if is_read {
        EffectKind::Read { table, operation }
    } else {
        EffectKind::Change { table, operation }
    };
    let Some((at, Answer::Performed(performed))) = layer.ask(key.clone(), kind).await else {
        return Err(Exit::Cancelled);
    };
    layer.tick(at);
    match performed {
        Ok(output) => {
            if is_read {
                desk.write(&key, at, succeeded(output.clone()));
            }
            Ok(output)
        }
        Err(refused) => {
            let failure = Failure::new(refused.code, refused.message);
            if is_read {
                let kind = EntryKind::StepFailed {
                    failure: failure.clone(),
                    next_try_at: None,
                };
                desk.write(&key, at, kind);
            }
            Err(failure.into())
        }
    }
}

/// Gives variables values; all of them see what was there before.
pub(super) fn set(
    layer: &Layer<'_>,
    path: &Path<'_>,
    values: &[(String, Expression)],
) -> Flow<Value> {
    let mut given = Vec::with_capacity(values.len());
    for (name, expression) in values {
        given.push((name, expression.evaluate(&layer.scope(path))?));
    }
    for (name, value) in given {
        layer.set(name, value);
    }
    Ok(Value::Null)
}

/// Waits.
pub(super) async fn wait(layer: &Layer<'_>, path: &Path<'_>, wait: &Wait) -> Flow<Value> {
    let key = path.key();
    let desk = &layer.frame.job.desk;
    let until = match desk.recorded(&key).wait_until {
        Some(until) => until,
        None => {
            let until = match wait {
                Wait::For(length) => desk.clock().max(layer.now()).after(*length),
                Wait::Until(expression) => moment(expression, &layer.scope(path))?,
            };
            desk.write(&key, layer.now(), EntryKind::WaitBegan { until });
            until
        }
    };
    wait_until(layer, &key, until).await?;
    Ok(Value::Null)
}

/// Ends the recipe with its result.
pub(super) fn return_value(layer: &Layer<'_>, path: &Path<'_>, value: &Expression) -> Exit {
    match value.evaluate(&layer.scope(path)) {
        Ok(value) => Exit::Returned(value.unwrap_or_else(|| Value::Object(Object::new()))),
        Err(error) => error.into(),
    }
}

/// Ends the job.
pub(super) fn stop(
    layer: &Layer<'_>,
    path: &Path<'_>,
    is_success: bool,
    reason: &Expression,
) -> Exit {
    match text(reason, &layer.scope(path)) {
        Ok(reason) => Exit::Stopped { is_success, reason },
        Err(exit) => exit,
    }
}

/// Writes a line into the job's log, once.
pub(super) fn log(
    layer: &Layer<'_>,
    path: &Path<'_>,
    line: &Expression,
    level: LogLevel,
    data: Option<&Expression>,
) -> Flow<Value> {
    let desk = &layer.frame.job.desk;
    let key = path.key();
    if desk.recorded(&key).logged {
        return Ok(Value::Null);
    }
    if layer.begins_nothing() {
        return Err(Exit::Cancelled);
    }
    let scope = layer.scope(path);
    let message = text(line, &scope)?;
    let data = match data {
        Some(data) => data.evaluate(&scope)?,
        None => None,
    };
    let level = level.as_str().to_owned();
    let line = EntryKind::LineLogged {
        level,
        message,
        data,
    };
    desk.write_line(&key, layer.now(), line);
    Ok(Value::Null)
}

/// Evaluates all of a table operation that does not hang on its rows.
fn close(operation: &TableOperation, scope: &dyn Scope) -> Flow<Operation> {
    Ok(match operation {
        TableOperation::Get(key) => Operation::Get {
            key: object(key, scope)?,
        },
        TableOperation::Find {
            filter,
            sort_by,
            limit,
        } => Operation::Find {
            filter: bound(filter.as_ref(), scope)?,
            sort_by: sort_by
                .iter()
                .map(|sort| {
                    let value = sort.value.bind(scope, ROW)?;
                    Ok(Sort {
                        value,
                        descending: sort.descending,
                    })
                })
                .collect::<Flow<_>>()?,
            limit: count(limit.as_ref(), scope)?.and_then(|limit| usize::try_from(limit).ok()),
        },
        TableOperation::Count(filter) => Operation::Count {
            filter: bound(filter.as_ref(), scope)?,
        },
        TableOperation::Insert(rows) => Operation::Insert {
            rows: rows_of(rows, scope)?,
        },
        TableOperation::Upsert(rows) => Operation::Upsert {
            rows: rows_of(rows, scope)?,
        },
        TableOperation::Update {
            filter,
            set,
            expect,
        } => Operation::Update {
            filter: bound(filter.as_ref(), scope)?,
            set: set.bind(scope, ROW)?,
            expect: count(expect.as_ref(), scope)?,
        },
        TableOperation::Delete { filter, expect } => Operation::Delete {
            filter: bound(filter.as_ref(), scope)?,
            expect: count(expect.as_ref(), scope)?,
        },
        TableOperation::Truncate => Operation::Truncate,
        TableOperation::Sync { rows, max_removed } => Operation::Sync {
            rows: rows_of(rows, scope)?,
            max_removed: *max_removed,
        },
    })
}

fn bound(filter: Option<&Condition>, scope: &dyn Scope) -> Flow<Option<Condition>> {
    filter
        .map(|filter| Ok(filter.bind(scope, ROW)?))
        .transpose()
}

fn object(expression: &Expression, scope: &dyn Scope) -> Flow<Object> {
    match expression.evaluate(scope)? {
        Some(Value::Object(object)) => Ok(object),
        other => Err(wrong_kind("an object of columns", other.as_ref())),
    }
}

fn rows_of(expression: &Expression, scope: &dyn Scope) -> Flow<Vec<Object>> {
    let wrong = |value: &Value| wrong_kind("a row or a list of rows", Some(value));
    match expression.evaluate(scope)? {
        Some(Value::Object(row)) => Ok(vec![row]),
        Some(Value::Array(rows)) => rows
            .into_iter()
            .map(|row| match row {
                Value::Object(row) => Ok(row),
                other => Err(wrong(&other)),
            })
            .collect(),
        other => Err(wrong_kind("a row or a list of rows", other.as_ref())),
    }
}

fn count(expression: Option<&Expression>, scope: &dyn Scope) -> Flow<Option<u64>> {
    let Some(expression) = expression else {
        return Ok(None);
    };
    match known(expression, scope)? {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_kind("a whole number from 0", Some(&value))),
        },
    }
}

fn text(expression: &Expression, scope: &dyn Scope) -> Flow<String> {
    match known(expression, scope)? {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        other => Err(wrong_kind("text", other.as_ref())),
    }
}

fn moment(expression: &Expression, scope: &dyn Scope) -> Flow<Moment> {
    match known(expression, scope)? {
        Some(Value::String(text)) => {
            Moment::parse(&text).map_err(|why| Failure::new("wrong_type", why).into())
        }
        other => Err(wrong_kind(
            "a time such as 2026-03-01T10:00:00Z",
            other.as_ref(),
        )),
    }
}

/// The value, which a preview must know.
fn known(expression: &Expression, scope: &dyn Scope) -> Flow<Option<Value>> {
    let value = expression.evaluate(scope)?;
    if let Some(value) = &value {
        super::preview::check_value(scope, value)?;
    }
    Ok(value)
}

fn wrong_kind(expected: &str, found: Option<&Value>) -> Exit {
    let found = found.map_or("nothing", crate::data::kind_of);
    Failure::new("wrong_type", format!("expected {expected}, found {found}")).into()
}

impl LogLevel {
    /// The level as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
