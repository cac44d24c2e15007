//! Which connector and whose account a call means.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::Reach;
use super::budget::Budget;
use crate::clock::Moment;
use crate::connector::{
    Action, Connection, Connections, Connector, Page, References, Resolved, Trouble, Values,
};
use crate::data::{Secret, Value, digest};
use crate::expression::Expression;
use crate::interpret::Call;
use crate::names::{ConnectionName, ConnectorName};
use crate::shape::fill_defaults;

/// The connectors and connections that calls may use.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// The connectors, built-in ones included.
    pub connectors: BTreeMap<ConnectorName, Arc<Connector>>,
    /// The connections.
    pub connections: Connections,
}

/// A call with all that it names at hand.
pub struct Prepared {
    /// The connector.
    pub connector: Arc<Connector>,
    /// The action's name.
    pub action: String,
    /// The connection.
    pub connection: Connection,
    /// The connection's values.
    pub resolved: Resolved,
    /// The arguments, defaults filled in.
    pub input: Arc<Value>,
    /// The page to ask for, of a listing.
    pub page: Page,
}

impl Accounts {
    /// Finds what a call names and follows the connection's references.
    pub fn prepare(&self, call: &Call, references: &dyn References) -> Result<Prepared, Trouble> {
        let names = &call.action;
        let mut prepared = self.open(&names.connection, &names.action, references)?;
        if prepared.connector.name != names.connector {
            return Err(Trouble::new(
                "wrong_connection",
                format!(
                    "connection `{}` is for `{}`, not for `{}`",
                    names.connection, prepared.connector.name, names.connector
                ),
            ));
        }
        let action = prepared.action()?;
        prepared.input = Arc::new(fill_defaults(&action.input, call.input.clone()));
        if let Some(cursor) = &call.cursor {
            prepared.page = serde_json::from_value(cursor.clone())
                .map_err(|why| Trouble::new("internal", format!("no cursor of ours: {why}")))?;
        }
        Ok(prepared)
    }

    /// A call of an action without input.
    pub fn open(
        &self,
        name: &ConnectionName,
        action: &str,
        references: &dyn References,
    ) -> Result<Prepared, Trouble> {
        let Some(connection) = self.connections.get(name) else {
            return Err(Trouble::new(
                "no_connection",
                format!("there is no connection `{name}`; add it to connections.yaml"),
            ));
        };
        let Some(connector) = self.connectors.get(&connection.connector) else {
            return Err(Trouble::new(
                "no_connector",
                format!("there is no connector `{}`", connection.connector),
            ));
        };
        let resolved = connection
            .resolve(connector, references)
            .map_err(|troubles| joined(&troubles))?;
        let prepared = Prepared {
            connector: connector.clone(),
            action: action.to_owned(),
            connection: connection.clone(),
            resolved,
            input: Arc::new(fill_defaults(
                &crate::shape::Shape::Fields(Default::default()),
                Value::Object(Default::default()),
            )),
            page: Page::default(),
        };
        prepared.action()?;
        Ok(prepared)
    }
}

impl Prepared {
    /// The action.
    pub fn action(&self) -> Result<&Action, Trouble> {
        self.connector.action(&self.action).ok_or_else(|| {
            Trouble::new(
                "no_action",
                format!("`{}` has no action `{}`", self.connector.name, self.action),
            )
        })
    }

    /// The roots `connection`, `input` and `call`.
    pub fn values(&self, key: &str, now: Moment) -> Values {
        Values::new(now, key)
            .with("connection", self.resolved.value.clone())
            .with("input", self.input.clone())
    }

    /// Where its requests may go.
    pub(super) fn reach(&self) -> Reach {
        if self.connection.allow_private {
            return Reach::Private;
        }
        Reach::Public
    }

    /// The SHA-256 of the connection's values: what a token belongs to.
    pub(super) fn fingerprint(&self) -> String {
        let values = self.resolved.value.to_string();
        digest(format!("{}\n{values}", self.connector.hash).as_bytes())
    }

    /// The budgets of the connection, and of the action if it has any.
    pub(super) fn budgets(&self, values: &Values) -> Result<Vec<Budget>, Trouble> {
        let action = self.action()?;
        let own = action
            .budget
            .iter()
            .map(|budget| (self.action.as_str(), budget));
        let all = self
            .connector
            .budget
            .iter()
            .map(|budget| ("", budget))
            .chain(own);
        let mut budgets = Vec::new();
        for (index, (whose, budget)) in all.enumerate() {
            if let Some(calls) = calls(&budget.calls, values)? {
                budgets.push(Budget {
                    name: format!("{whose}#{index}/{}s", budget.per.as_secs_f64()),
                    calls,
                    window: budget.per,
                });
            }
        }
        Ok(budgets)
    }

    /// The budgets of the connection alone, which token requests count in.
    pub(super) fn connection_budgets(&self, values: &Values) -> Result<Vec<Budget>, Trouble> {
        let mut budgets = self.budgets(values)?;
        budgets.retain(|budget| budget.name.starts_with('#'));
        Ok(budgets)
    }

    /// The texts that must not be shown.
    pub(super) fn secrets(&self) -> &[Secret] {
        &self.resolved.secrets
    }
}

fn calls(written: &Expression, values: &Values) -> Result<Option<u32>, Trouble> {
    let wrong = |why: String| Trouble::new("connection_incomplete", format!("budget: {why}"));
    let value = written
        .evaluate(values)
        .map_err(|error| wrong(format!("{}: {}", error.expression, error.message)))?;
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .and_then(|calls| u32::try_from(calls).ok())
            .filter(|calls| *calls > 0)
            .map(Some)
            .ok_or_else(|| wrong(format!("`{value}` is no number of calls"))),
    }
}

fn joined(troubles: &[Trouble]) -> Trouble {
    let words: Vec<&str> = troubles
        .iter()
        .map(|trouble| trouble.message.as_str())
        .collect();
    Trouble::new("connection_incomplete", words.join("; "))
}
