//! The rows of the lookup tables that a project uses.
//!
//! In: the store. Out: how many rows there are, and which do not fit what the tables declare.
//! Always true: rows are read a page at a time, and no more of a table than allowed.

use std::collections::BTreeSet;

use crate::compile::{Program, StepKind};
use crate::data::Object;
use crate::names::TableName;
use crate::store::{RowFilter, Store, StoreError, TableRow};
use crate::table::{SETTINGS_TABLE, Table};
use crate::trigger::Intake;

use super::{Finding, Patient, Section, Topic};

/// How many rows are read at a time.
const PAGE: usize = 5_000;

/// How many rows of a table are looked at.
const ROWS_MAX: usize = 200_000;

/// The section about tables.
pub(super) async fn look(house: &Intake, patient: &Patient) -> Result<Section, StoreError> {
    let mut names: BTreeSet<TableName> = TableName::new(SETTINGS_TABLE).into_iter().collect();
    for (_, program) in patient.programs() {
        names.extend(tables_of(program));
    }
    let declared = house.shelf.tables();
    let mut findings = Vec::new();
    // A table without a file is told of where it is needed.
    for table in names.iter().filter_map(|name| declared.get(name)) {
        findings.extend(of_table(&house.store, table).await?);
    }
    Ok(Section::of(Topic::Tables, findings, "none is used"))
}

/// The rows of the table of settings.
pub(super) async fn settings(store: &Store) -> Result<Vec<Object>, StoreError> {
    let name = TableName::new(SETTINGS_TABLE).map_err(StoreError::Corrupt)?;
    let mut rows = Vec::new();
    each_page(store, &name, |page| {
        rows.extend(page.into_iter().map(|row| row.row));
    })
    .await?;
    Ok(rows)
}

/// The tables that a program and all that it reaches work on.
pub(super) fn tables_of(program: &Program) -> BTreeSet<TableName> {
    let mut tables = BTreeSet::new();
    for recipe in program.recipes.values() {
        recipe.for_each_step(&mut |step| {
            if let StepKind::Table { table, .. } = &step.kind {
                tables.insert(table.clone());
            }
        });
    }
    tables
}

async fn of_table(store: &Store, table: &Table) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let mut count = 0;
    each_page(store, &table.name, |page| {
        for row in page {
            count += 1;
            findings.extend(unfit(table, &row.row));
        }
    })
    .await?;
    let (name, title) = (&table.name, &table.title);
    let more = if count >= ROWS_MAX { " at least" } else { "" };
    let rows = match count {
        0 => "no row".to_owned(),
        1 => "one row".to_owned(),
        count => format!("{count} rows{more}"),
    };
    findings.push(Finding::note(format!("{title} (`{name}`): {rows}")));
    Ok(findings)
}

/// What of a row does not fit its table; values that are not shown are not told of.
fn unfit(table: &Table, row: &Object) -> Option<Finding> {
    let why = table.whole_row(row).err()?.message;
    let hidden: Vec<&String> = table
        .columns
        .iter()
        .filter(|(_, column)| column.field.secret || column.field.personal)
        .map(|(name, _)| name)
        .collect();
    let is_at_fault = |name: &&&String| {
        let value = row.get(**name);
        value.is_some_and(|value| table.value(name, value).is_err())
    };
    let why = match hidden.iter().find(is_at_fault) {
        Some(name) => format!("column `{name}` is not of its type"),
        None => why,
    };
    let is_shown = !table.key.iter().any(|name| hidden.contains(&name));
    let row = match table.shown_key(row) {
        key if is_shown && !key.is_empty() => format!("the row {key}"),
        _ => "a row".to_owned(),
    };
    let name = &table.name;
    Some(Finding::error(
        format!("table `{name}`: {row} does not fit: {why}"),
        format!("change it: `recipes tables {name} --export FILE`, then `--import FILE`"),
    ))
}

/// Shows the rows of a table, a page at a time; one that is not declared has none.
async fn each_page(
    store: &Store,
    table: &TableName,
    mut see: impl FnMut(Vec<TableRow>),
) -> Result<(), StoreError> {
    let mut after = None;
    for _ in 0..ROWS_MAX / PAGE {
        let filter = RowFilter {
            search: None,
            after,
            limit: PAGE,
        };
        let page = match store.rows(table, filter).await {
            Err(StoreError::NotFound(_)) => Vec::new(),
            page => page?,
        };
        let is_last = page.len() < PAGE;
        after = page.last().map(|row| row.number);
        see(page);
        if is_last {
            break;
        }
    }
    Ok(())
}
