//! Secret columns, sealed in the bodies of rows.
//!
//! In: rows as they are, and bodies as they are stored. Out: the one from the other.
//! Always true: no body that is written shows the value of a secret column; what was written
//! before its column was declared secret is read too, and sealed when it is next declared. The key
//! of the database fits, or it is not opened: a value that cannot be opened was sealed with a key
//! that is lost, and is as good as absent.

use super::super::error::corrupt;
use super::super::seal::{Sealer, is_sealed};
use super::Kept;
use crate::data::{Object, Value};
use crate::mask::learn_secret;
use crate::store::StoreError;

/// The body of a row as it is stored.
pub(super) fn body(kept: &Kept, row: &Object) -> Result<String, StoreError> {
    if secret_columns(kept).next().is_none() {
        return serde_json::to_string(row).map_err(|e| corrupt("a row", &e));
    }
    let mut sealed = row.clone();
    for name in secret_columns(kept) {
        if let Some(value) = sealed.get_mut(name) {
            learn(value);
            let plain = value.to_string();
            *value = kept.sealer.seal_piece(&plain)?.into();
        }
    }
    serde_json::to_string(&sealed).map_err(|e| corrupt("a row", &e))
}

/// A row from its stored body, and whether a secret stood in it unsealed.
pub(super) fn row(kept: &Kept, body: &str) -> Result<(Object, bool), StoreError> {
    let mut row: Object = serde_json::from_str(body).map_err(|e| corrupt("a row", &e))?;
    let mut was_open = false;
    for name in secret_columns(kept) {
        let Some(value) = row.get_mut(name) else {
            continue;
        };
        match value {
            Value::String(text) if is_sealed(text) => match opened(&kept.sealer, text) {
                Some(plain) => *value = plain,
                None => {
                    kept.tell_lost(name);
                    row.remove(name);
                    continue;
                }
            },
            _ => was_open = true,
        }
        learn(value);
    }
    Ok((row, was_open))
}

fn opened(sealer: &Sealer, text: &str) -> Option<Value> {
    serde_json::from_str(&sealer.opened_text(text)).ok()
}

fn learn(value: &Value) {
    match value {
        Value::String(text) => learn_secret(text),
        Value::Array(list) => list.iter().for_each(learn),
        Value::Object(object) => object.values().for_each(learn),
        Value::Number(number) => learn_secret(&number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The columns that nobody may see.
fn secret_columns(kept: &Kept) -> impl Iterator<Item = &String> {
    let columns = kept.table.columns.iter();
    columns
        .filter(|(_, column)| column.field.secret)
        .map(|(name, _)| name)
}
