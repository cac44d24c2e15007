//! The typed `settings` root, from the rows of one well-known table.
//!
//! Always true: a cached answer is older than no acknowledged write.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::Sqlite;
use super::rows;
use crate::data::{Object, Value};
use crate::names::TableName;
use crate::store::StoreError;
use crate::table::{SETTINGS_TABLE, SettingsDeclared, settings_of_rows};

/// So many answers are kept: one for each recipe closure that was asked for lately.
const ANSWERS_MAX: usize = 32;

/// What is known of settings in this process.
#[derive(Clone, Default)]
pub(in crate::store::sqlite) struct Settings(Arc<Mutex<Known>>);

type Answer = Result<Value, String>;

#[derive(Default)]
struct Known {
    declared: Arc<SettingsDeclared>,
    writes: u64,
    answers: Vec<(SettingsDeclared, Answer)>,
}

impl Settings {
    /// What projects declare.
    pub(super) fn declared(&self) -> Arc<SettingsDeclared> {
        self.with(|known| known.declared.clone())
    }

    /// Forgets what was read: a write was acknowledged.
    pub(in crate::store::sqlite) fn forget(&self) {
        self.with(|known| {
            known.writes += 1;
            known.answers.clear();
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sqlite {
    /// Says which settings projects declare, so that rows that do not fit are refused when they are
    /// written.
    pub fn declare_settings(&self, declared: SettingsDeclared) {
        self.settings
            .with(|known| known.declared = Arc::new(declared));
    }

    /// The values of these settings: project, integration, key. The inner error says which rows do
    /// not fit what is declared, and what is allowed.
    pub async fn settings(
        &self,
        declared: &SettingsDeclared,
    ) -> Result<Result<Value, String>, StoreError> {
        let (known, writes) = self.settings.with(|known| {
            let answer = known.answers.iter().find(|(asked, _)| asked == declared);
            (answer.map(|(_, answer)| answer.clone()), known.writes)
        });
        if let Some(answer) = known {
            return Ok(answer);
        }
        let rows = self.settings_rows().await?;
        let answer = settings_of_rows(declared, &rows);
        self.settings.with(|known| {
            if known.writes == writes {
                if known.answers.len() >= ANSWERS_MAX {
                    drop(known.answers.remove(0));
                }
                known.answers.push((declared.clone(), answer.clone()));
            }
        });
        Ok(answer)
    }

    async fn settings_rows(&self) -> Result<Vec<Object>, StoreError> {
        let name = TableName::new(SETTINGS_TABLE).map_err(StoreError::Corrupt)?;
        let Some(kept) = self.tables.get(&name) else {
            return Ok(Vec::new());
        };
        let rows = self
            .with_reader(move |connection| {
                Box::pin(async move { rows::all(connection, &kept).await })
            })
            .await?;
        Ok(rows.into_iter().map(|row| row.row).collect())
    }
}
