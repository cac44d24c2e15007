//! Lookup tables in people's hands.

use recipe_engine::data::Object;
use recipe_engine::names::TableName;
use recipe_engine::shape::{Field, Shape};
use recipe_engine::store::sqlite::{Import, RowFilter, RowNamed};
use recipe_engine::store::{Store, StoreError};
use recipe_engine::table::{Column, Normalise, Sight, Table};
use serde_json::{Value, json};

use super::fixtures::at;

super::on_every_store!(
    a_row_is_put_and_listed,
    history_outlives_a_row,
    an_import_is_all_or_nothing,
    an_import_can_replace,
    a_missing_table_is_named,
);

pub(super) fn name() -> TableName {
    TableName::new("blocked-domains").unwrap()
}

pub(super) fn domains() -> Table {
    let column = |field| Column {
        field,
        unique: false,
        normalise: vec![Normalise::Trim, Normalise::Lowercase],
    };
    Table {
        name: name(),
        title: "Blocked domains".to_owned(),
        columns: [
            ("domain".to_owned(), column(Field::required(Shape::String))),
            ("count".to_owned(), column(Field::optional(Shape::Integer))),
        ]
        .into_iter()
        .collect(),
        key: vec!["domain".to_owned()],
        first_rows: Vec::new(),
    }
}

fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

pub(super) async fn put(store: &Store, row: Value, seconds: i64) {
    let put = store
        .put_row(&name(), object(row), "person:ada", at(seconds))
        .await;
    put.unwrap().unwrap();
}

async fn listed(store: &Store, filter: RowFilter) -> Vec<Value> {
    let rows = store.rows(&name(), filter).await.unwrap();
    rows.into_iter()
        .map(|row| row.row["domain"].clone())
        .collect()
}

async fn a_row_is_put_and_listed(store: &Store) {
    store.declare(&[domains()], at(0)).await.unwrap();
    put(store, json!({ "domain": " A.example " }), 1).await;
    put(store, json!({ "domain": "b.example", "count": 2 }), 2).await;
    put(store, json!({ "domain": "a.example", "count": 5 }), 3).await;
    let all = RowFilter {
        limit: 10,
        ..RowFilter::default()
    };
    assert_eq!(listed(store, all.clone()).await, ["a.example", "b.example"]);
    let search = RowFilter {
        search: Some(("B.EX".to_owned(), Sight::Personal)),
        ..all.clone()
    };
    assert_eq!(listed(store, search).await, ["b.example"]);
    let first = store
        .rows(
            &name(),
            RowFilter {
                limit: 1,
                ..all.clone()
            },
        )
        .await
        .unwrap();
    assert_eq!(first[0].written_by, "person:ada");
    assert_eq!(first[0].written_at, at(3));
    let number = first[0].number;
    let next = RowFilter {
        after: Some(number),
        ..all.clone()
    };
    assert_eq!(listed(store, next).await, ["b.example"]);
    assert_eq!(changes(store, number).await, ["changed", "added"]);
    let gone = store.delete_row(&name(), -1, "person:bob", at(5)).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
}

/// What became of a row, newest first.
async fn changes(store: &Store, number: i64) -> Vec<String> {
    let history = store
        .row_history(&name(), RowNamed::Number(number), 10)
        .await
        .unwrap();
    history.into_iter().map(|version| version.change).collect()
}

async fn history_outlives_a_row(store: &Store) {
    store.declare(&[domains()], at(0)).await.unwrap();
    let all = RowFilter {
        limit: 10,
        ..RowFilter::default()
    };
    put(store, json!({ "domain": "a.example" }), 1).await;
    let number = store.rows(&name(), all.clone()).await.unwrap()[0].number;
    let deleted = store.delete_row(&name(), number, "person:bob", at(2)).await;
    deleted.unwrap();
    assert!(listed(store, all.clone()).await.is_empty());
    put(store, json!({ "domain": "a.example" }), 3).await;
    let number = store.rows(&name(), all).await.unwrap()[0].number;
    assert_eq!(changes(store, number).await, ["added", "removed", "added"]);
    let audit = store.audit(Some("table:blocked-domains"), 10).await;
    let actions: Vec<_> = audit
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["row_put", "row_deleted", "row_put"]);
}

async fn an_import_is_all_or_nothing(store: &Store) {
    let table = domains();
    store
        .declare(std::slice::from_ref(&table), at(0))
        .await
        .unwrap();
    let rows = table
        .parse_csv(
            b"domain,count\r\na.example,1\r\nB.example,\r\n",
            &|_| Ok(()),
        )
        .unwrap();
    let done = store
        .import(&name(), rows, Import::Merge, "person:ada", at(1))
        .await
        .unwrap();
    assert_eq!(
        done.unwrap(),
        json!({ "added": 2, "changed": 0, "unchanged": 0 })
    );
    let broken = vec![
        object(json!({ "domain": "c" })),
        object(json!({ "domain": 7 })),
    ];
    let refused = store
        .import(&name(), broken, Import::Merge, "person:ada", at(2))
        .await
        .unwrap();
    assert!(refused.unwrap_err().message.starts_with("row 2"));
    let all = RowFilter {
        limit: 10,
        ..RowFilter::default()
    };
    assert_eq!(listed(store, all).await.len(), 2);
    assert_eq!(
        store.audit(None, 10).await.unwrap().len(),
        1,
        "a refused import is no change"
    );
}

async fn an_import_can_replace(store: &Store) {
    store.declare(&[domains()], at(0)).await.unwrap();
    put(store, json!({ "domain": "a.example" }), 1).await;
    let rows = vec![object(json!({ "domain": "b.example" }))];
    let done = store
        .import(&name(), rows, Import::Replace, "person:ada", at(2))
        .await
        .unwrap();
    assert_eq!(done.unwrap()["removed"], json!(1));
}

async fn a_missing_table_is_named(store: &Store) {
    let missing = store.rows(&name(), RowFilter::default()).await.unwrap_err();
    assert!(missing.to_string().contains("blocked-domains"));
}
