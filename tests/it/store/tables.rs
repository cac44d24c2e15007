//! Lookup tables, outside and inside commits.

use recipe_engine::data::{Object, Value};
use recipe_engine::names::TableName;
use recipe_engine::shape::{Field, Shape};
use recipe_engine::store::{Advance, Jobs, Store, TableStep};
use recipe_engine::table::{Column, MaxRemoved, Normalise, Operation, Performed, Table};
use serde_json::json;

use super::fixtures::{at, claim_one, key, queue};

super::on_every_store!(
    rows_are_upserted_and_got,
    operations_of_one_commit_see_each_other,
    an_insert_is_all_or_nothing,
    a_unique_column_is_unique,
    a_sync_removes_no_more_than_it_may,
    a_table_without_key_is_synced_by_whole_rows,
    a_declaration_that_does_not_fit_is_refused,
    a_new_column_with_a_default_fills_the_rows,
);

fn column(field: Field) -> Column {
    Column {
        field,
        unique: false,
        normalise: Vec::new(),
    }
}

/// A table `groups`: id (key), name (required), code (unique, normalised), active (default true).
fn groups() -> Table {
    let code = Column {
        unique: true,
        normalise: vec![Normalise::Trim, Normalise::Lowercase],
        ..column(Field::optional(Shape::String))
    };
    let active = Field {
        default: Some(json!(true)),
        ..Field::optional(Shape::Boolean)
    };
    Table {
        name: TableName::new("groups").unwrap(),
        title: "Groups".to_owned(),
        columns: [
            ("id".to_owned(), column(Field::required(Shape::Integer))),
            ("name".to_owned(), column(Field::required(Shape::String))),
            ("code".to_owned(), code),
            ("active".to_owned(), column(active)),
        ]
        .into_iter()
        .collect(),
        key: vec!["id".to_owned()],
        first_rows: vec![object(json!({ "id": 1, "name": "First", "code": " ONE " }))],
    }
}

fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

fn objects(value: Value) -> Vec<Object> {
    value
        .as_array()
        .unwrap()
        .iter()
        .cloned()
        .map(object)
        .collect()
}

/// Performs operations in one commit of a fresh job.
async fn perform(store: &Store, operations: Vec<Operation>) -> Vec<Performed> {
    queue(store, "a", 0).await;
    let job = claim_one(store, 1).await;
    let steps = operations
        .into_iter()
        .enumerate()
        .map(|(index, operation)| TableStep {
            key: key(&format!("step{index}")),
            table: TableName::new("groups").unwrap(),
            operation,
        });
    let advance = Advance {
        table_operations: steps.collect(),
        next: super::fixtures::ended_well(json!(1)),
        ..Advance::default()
    };
    let committed = store.commit(&job.lease, at(2), advance).await.unwrap();
    committed
        .performed
        .into_iter()
        .map(|(_, performed)| performed)
        .collect()
}

async fn all(store: &Store) -> Value {
    let find = Operation::Find {
        filter: None,
        sort_by: Vec::new(),
        limit: None,
    };
    read(store, find).await["items"].clone()
}

async fn read(store: &Store, operation: Operation) -> Value {
    let table = TableName::new("groups").unwrap();
    store.read(&table, &operation).await.unwrap().unwrap()
}

async fn rows_are_upserted_and_got(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let upsert = Operation::Upsert {
        rows: objects(json!([
            { "id": 1, "code": "uno " },
            { "id": 2, "name": "Second" },
            { "id": 1, "active": false },
        ])),
    };
    let done = perform(store, vec![upsert.clone()]).await;
    let expected = json!({ "added": 1, "changed": 1, "unchanged": 0 });
    assert_eq!(done, [Ok(expected)]);
    let again = Operation::Upsert {
        rows: objects(json!([{ "id": 2, "name": "Second" }])),
    };
    let done = perform(store, vec![again]).await;
    assert_eq!(
        done,
        [Ok(json!({ "added": 0, "changed": 0, "unchanged": 1 }))]
    );
    let get = |key: Value| Operation::Get { key: object(key) };
    let first = json!({ "id": 1, "name": "First", "code": "uno", "active": false });
    let found = json!({ "found": true, "row": first });
    assert_eq!(read(store, get(json!({ "id": 1 }))).await, found);
    assert_eq!(read(store, get(json!({ "code": " UNO" }))).await, found);
    assert_eq!(
        read(store, get(json!({ "id": 9 }))).await,
        json!({ "found": false })
    );
    let table = TableName::new("groups").unwrap();
    let wrong = store
        .read(&table, &get(json!({ "id": "1" })))
        .await
        .unwrap();
    assert_eq!(wrong.unwrap_err().code, "wrong_type");
    let wrong = store
        .read(&table, &get(json!({ "name": "First" })))
        .await
        .unwrap();
    assert_eq!(wrong.unwrap_err().code, "not_the_key");
}

async fn operations_of_one_commit_see_each_other(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let id = queue(store, "b", -1).await;
    let job = claim_one(store, -1).await;
    let step = |place: &str, operation| TableStep {
        key: key(place),
        table: TableName::new("groups").unwrap(),
        operation,
    };
    let row = objects(json!([{ "id": 5, "name": "Five" }]));
    let advance = Advance {
        table_operations: vec![
            step("first", Operation::Insert { rows: row.clone() }),
            step("second", Operation::Insert { rows: row }),
            step("third", Operation::Count { filter: None }),
        ],
        ..Advance::default()
    };
    let committed = store.commit(&job.lease, at(3), advance).await.unwrap();
    assert_eq!(committed.performed[0].1, Ok(json!({ "count": 1 })));
    assert_eq!(
        committed.performed[1].1.as_ref().unwrap_err().code,
        "row_exists"
    );
    assert_eq!(committed.performed[2].1, Ok(json!({ "count": 2 })));
    let (_, entries, _) = store.job(&id).await.unwrap();
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry.at == at(3)));
}

async fn an_insert_is_all_or_nothing(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let refused = [
        (
            json!([{ "id": 2, "name": "B" }, { "id": 1, "name": "A" }]),
            "row_exists",
        ),
        (
            json!([{ "id": 2, "name": "B" }, { "id": 2, "name": "C" }]),
            "row_exists",
        ),
        (json!([{ "id": 2, "name": "B" }, { "id": 3 }]), "required"),
        (json!([{ "id": 2, "name": 7 }]), "wrong_type"),
        (json!([{ "id": 2, "Name": "B" }]), "unknown_column"),
        (json!([{ "name": "B" }]), "required"),
    ];
    for (rows, code) in refused {
        let insert = Operation::Insert {
            rows: objects(rows.clone()),
        };
        let done = perform(store, vec![insert]).await;
        assert_eq!(done[0].as_ref().unwrap_err().code, code, "{rows}");
    }
    assert_eq!(all(store).await.as_array().unwrap().len(), 1);
}

async fn a_unique_column_is_unique(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let insert = Operation::Insert {
        rows: objects(json!([{ "id": 2, "name": "B", "code": "One" }])),
    };
    let done = perform(store, vec![insert]).await;
    assert_eq!(done[0].as_ref().unwrap_err().code, "not_unique");
    let swap = Operation::Sync {
        rows: objects(json!([{ "id": 2, "name": "B", "code": "one" }])),
        max_removed: MaxRemoved::Rows(1),
    };
    let done = perform(store, vec![swap]).await;
    let expected = json!({ "added": 1, "changed": 0, "removed": 1, "unchanged": 0 });
    assert_eq!(done, [Ok(expected)], "one that goes frees its value");
}

async fn a_sync_removes_no_more_than_it_may(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let rows = |ids: std::ops::Range<i64>| {
        let rows: Vec<Value> = ids.map(|id| json!({ "id": id, "name": "N" })).collect();
        objects(Value::Array(rows))
    };
    let sync = |ids, max_removed| Operation::Sync {
        rows: rows(ids),
        max_removed,
    };
    let twenty = MaxRemoved::Percent(20.0);
    let done = perform(store, vec![sync(1..101, twenty)]).await;
    let expected = json!({ "added": 99, "changed": 1, "removed": 0, "unchanged": 0 });
    assert_eq!(done, [Ok(expected)]);
    let done = perform(store, vec![sync(1..80, twenty)]).await;
    assert_eq!(done[0].as_ref().unwrap_err().code, "too_many_removed");
    assert_eq!(all(store).await.as_array().unwrap().len(), 100);
    let done = perform(store, vec![sync(1..81, twenty)]).await;
    assert_eq!(done[0].as_ref().unwrap()["removed"], json!(20));
    let done = perform(store, vec![sync(1..70, MaxRemoved::Rows(10))]).await;
    assert_eq!(done[0].as_ref().unwrap_err().code, "too_many_removed");
    let done = perform(store, vec![sync(1..65, twenty)]).await;
    assert_eq!(done[0].as_ref().unwrap()["removed"], json!(16));
    let done = perform(store, vec![sync(1..55, MaxRemoved::Percent(1.0))]).await;
    assert_eq!(
        done[0].as_ref().unwrap()["removed"],
        json!(10),
        "never fewer than ten"
    );
}

async fn a_table_without_key_is_synced_by_whole_rows(store: &Store) {
    let mut table = groups();
    table.key.clear();
    table.columns.shift_remove("code");
    table.first_rows = objects(json!([{ "id": 1, "name": "A" }, { "id": 1, "name": "A" }]));
    store.declare(&[table], at(0)).await.unwrap();
    let sync = Operation::Sync {
        rows: objects(json!([{ "id": 1, "name": "A" }, { "id": 2, "name": "B" }])),
        max_removed: MaxRemoved::Percent(20.0),
    };
    let done = perform(store, vec![sync]).await;
    let expected = json!({ "added": 1, "changed": 0, "removed": 1, "unchanged": 1 });
    assert_eq!(done, [Ok(expected)]);
    let upsert = Operation::Upsert { rows: Vec::new() };
    let done = perform(store, vec![upsert]).await;
    assert_eq!(done[0].as_ref().unwrap_err().code, "no_key");
}

async fn a_declaration_that_does_not_fit_is_refused(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let mut without = groups();
    without.columns.shift_remove("code");
    let mut retyped = groups();
    retyped.columns["name"].field.shape = Shape::Integer;
    let mut demanding = groups();
    demanding
        .columns
        .insert("owner".to_owned(), column(Field::required(Shape::String)));
    for (table, word) in [(without, "code"), (retyped, "name"), (demanding, "owner")] {
        let refused = store
            .declare(&[table], at(1))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(word) && refused.contains("groups"),
            "{refused}"
        );
    }
    assert_eq!(
        all(store).await[0]["code"],
        json!("one"),
        "the old declaration stays"
    );
}

async fn a_new_column_with_a_default_fills_the_rows(store: &Store) {
    store.declare(&[groups()], at(0)).await.unwrap();
    let mut table = groups();
    let level = Field {
        default: Some(json!(3)),
        ..Field::optional(Shape::Integer)
    };
    table.columns.insert("level".to_owned(), column(level));
    store.declare(&[table], at(1)).await.unwrap();
    assert_eq!(all(store).await[0]["level"], json!(3));
}
