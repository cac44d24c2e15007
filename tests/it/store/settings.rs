//! The typed `settings` root.

use indexmap::IndexMap;
use recipe_engine::data::{Object, Value};
use recipe_engine::names::TableName;
use recipe_engine::shape::{Field, Shape};
use recipe_engine::store::{Advance, Jobs, Store, TableStep};
use recipe_engine::table::{Column, Operation, SETTINGS_TABLE, SettingsDeclared, Table};
use serde_json::json;

use super::fixtures::{at, claim_one, key, queue};

super::on_every_store!(
    settings_take_their_declared_types,
    a_row_that_does_not_fit_is_refused_when_written,
    rows_from_before_a_declaration_are_named_when_read,
    a_job_that_changes_a_setting_is_seen_by_the_next,
);

fn table() -> Table {
    let column = |field| Column {
        field,
        unique: false,
        normalise: Vec::new(),
    };
    Table {
        name: TableName::new(SETTINGS_TABLE).unwrap(),
        title: "Settings".to_owned(),
        columns: [
            (
                "integration".to_owned(),
                column(Field::required(Shape::String)),
            ),
            ("key".to_owned(), column(Field::required(Shape::String))),
            ("value".to_owned(), column(Field::optional(Shape::String))),
        ]
        .into_iter()
        .collect(),
        key: vec!["integration".to_owned(), "key".to_owned()],
        first_rows: Vec::new(),
    }
}

fn declared() -> SettingsDeclared {
    let days = Field {
        default: Some(json!(0)),
        ..Field::optional(Shape::Integer)
    };
    let keys: IndexMap<String, Field> = [
        ("DAYS".to_owned(), days),
        ("ON".to_owned(), Field::required(Shape::Boolean)),
        ("FROM".to_owned(), Field::optional(Shape::Date)),
        ("MAIL".to_owned(), Field::optional(Shape::Email)),
        (
            "MASTER".to_owned(),
            Field::optional(Shape::Enum(vec![json!("LEFT"), json!("RIGHT")])),
        ),
    ]
    .into_iter()
    .collect();
    let integrations = [("MYCO".to_owned(), keys)].into_iter().collect();
    [("project".to_owned(), integrations)].into_iter().collect()
}

async fn open(store: &Store) {
    store.declare(&[table()], at(0)).await.unwrap();
}

fn row(key: &str, value: &str) -> Object {
    let row = json!({ "integration": "MYCO", "key": key, "value": value });
    row.as_object().unwrap().clone()
}

async fn put(store: &Store, key: &str, value: &str) -> Result<Value, String> {
    let name = TableName::new(SETTINGS_TABLE).unwrap();
    let put = store
        .put_row(&name, row(key, value), "person:ada", at(1))
        .await
        .unwrap();
    put.map_err(|refused| refused.message)
}

async fn settings_take_their_declared_types(store: &Store) {
    let values = store.settings(&declared()).await.unwrap().unwrap();
    assert_eq!(
        values,
        json!({ "project": { "MYCO": { "DAYS": 0 } } }),
        "no table yet"
    );
    open(store).await;
    for (key, value) in [
        ("DAYS", "12"),
        ("ON", "true"),
        ("FROM", "2026-03-01"),
        ("MAIL", " "),
    ] {
        put(store, key, value).await.unwrap();
    }
    let values = store.settings(&declared()).await.unwrap().unwrap();
    let expected = json!({ "DAYS": 12, "ON": true, "FROM": "2026-03-01" });
    assert_eq!(
        values["project"]["MYCO"], expected,
        "an empty value is absent"
    );
}

async fn a_row_that_does_not_fit_is_refused_when_written(store: &Store) {
    open(store).await;
    store.declare_settings(declared());
    let wrong = [
        ("DAYS", "twelve", "whole number"),
        ("ON", "True", "lower case"),
        ("ON", "yes", "true or false"),
        ("FROM", "01.03.2026", "2026-03-01"),
        ("MAIL", "ada", "e-mail"),
        ("MASTER", "left", "letter for letter"),
        ("DAY", "1", "did you mean `DAYS`"),
    ];
    for (key, value, word) in wrong {
        let refused = put(store, key, value).await.unwrap_err();
        assert!(refused.contains(word) && refused.contains(key), "{refused}");
    }
    let name = TableName::new(SETTINGS_TABLE).unwrap();
    let slip = json!({ "integration": "MYKO", "key": "ON", "value": "true" });
    let slip = slip.as_object().unwrap().clone();
    let refused = store
        .put_row(&name, slip, "person:ada", at(1))
        .await
        .unwrap();
    assert!(refused.unwrap_err().message.contains("did you mean `MYCO`"));
    put(store, "MASTER", "LEFT").await.unwrap();
}

async fn rows_from_before_a_declaration_are_named_when_read(store: &Store) {
    open(store).await;
    put(store, "ON", "perhaps").await.unwrap();
    put(store, "DAYS", "1.5").await.unwrap();
    let wrong = store.settings(&declared()).await.unwrap().unwrap_err();
    assert!(
        wrong.contains("`MYCO` / `ON`") && wrong.contains("`MYCO` / `DAYS`"),
        "{wrong}"
    );
}

async fn a_job_that_changes_a_setting_is_seen_by_the_next(store: &Store) {
    open(store).await;
    put(store, "DAYS", "1").await.unwrap();
    let days = async || {
        let values = store.settings(&declared()).await.unwrap().unwrap();
        values["project"]["MYCO"]["DAYS"].clone()
    };
    assert_eq!(days().await, json!(1));
    queue(store, "a", 0).await;
    let job = claim_one(store, 1).await;
    let step = TableStep {
        key: key("set"),
        table: TableName::new(SETTINGS_TABLE).unwrap(),
        operation: Operation::Upsert {
            rows: vec![row("DAYS", "2")],
        },
    };
    let advance = Advance {
        table_operations: vec![step],
        ..Advance::default()
    };
    store.commit(&job.lease, at(2), advance).await.unwrap();
    assert_eq!(days().await, json!(2));
}
