//! Finding, changing and deleting rows by conditions.

use std::sync::Arc;

use recipe_engine::data::{Object, Value};
use recipe_engine::diagnostic::Report;
use recipe_engine::expression::{Condition, Expression, Known, Names};
use recipe_engine::names::TableName;
use recipe_engine::shape::{Field, Shape};
use recipe_engine::source;
use recipe_engine::store::{Advance, Jobs, Store, TableStep};
use recipe_engine::table::{Column, Normalise, Operation, Performed, Sort, Table};
use serde_json::json;

use super::fixtures::{at, claim_one, ended_well, key, queue};

super::on_every_store!(
    rows_are_found_by_conditions,
    what_is_looked_up_is_normalised,
    rows_are_sorted_and_limited,
    an_update_changes_what_it_meets,
    an_update_may_move_keys,
    an_expectation_that_fails_changes_nothing,
);

fn learners() -> Table {
    let column = |field| Column {
        field,
        unique: false,
        normalise: Vec::new(),
    };
    let email = Column {
        normalise: vec![Normalise::Trim, Normalise::Lowercase],
        ..column(Field::required(Shape::Email))
    };
    let row = |id: i64, email: &str, group: i64, active: bool| {
        let row = json!({ "id": id, "email": email, "group": group, "active": active });
        row.as_object().unwrap().clone()
    };
    Table {
        name: name(),
        title: "Learners".to_owned(),
        columns: [
            ("id".to_owned(), column(Field::required(Shape::Integer))),
            ("email".to_owned(), email),
            ("group".to_owned(), column(Field::required(Shape::Integer))),
            ("active".to_owned(), column(Field::required(Shape::Boolean))),
            ("note".to_owned(), column(Field::optional(Shape::Any))),
        ]
        .into_iter()
        .collect(),
        key: vec!["id".to_owned()],
        first_rows: vec![
            row(10, "ten@example.com", 1, true),
            row(9, "nine@example.com", 1, false),
            row(2, "two@example.com", 2, true),
            row(1, "one@example.com", 3, true),
        ],
    }
}

fn name() -> TableName {
    TableName::new("learners").unwrap()
}

struct RowOnly;

impl Names for RowOnly {
    fn look_up(&self, _root: &str, _member: Option<&str>) -> Known {
        Known::Shape {
            shape: learners().row_shape(),
            maybe: false,
        }
    }

    fn roots(&self) -> Vec<String> {
        vec!["row".to_owned()]
    }
}

fn document(yaml: &str) -> source::Document {
    let (document, report) = source::parse(&Arc::from("test.yaml"), yaml.as_bytes());
    assert!(!report.has_errors(), "{report:?}");
    document.unwrap()
}

fn condition(yaml: &str) -> Condition {
    let mut report = Report::default();
    let condition = Condition::compile(&document(yaml).root, &RowOnly, &mut report);
    assert!(!report.has_errors(), "{report:?}");
    condition
}

fn expression(yaml: &str) -> Expression {
    let mut report = Report::default();
    let typed = Expression::compile(&document(yaml).root, &RowOnly, None, &mut report);
    assert!(!report.has_errors(), "{report:?}");
    typed.expression
}

async fn find(store: &Store, filter: &str) -> Vec<i64> {
    found(store, Some(condition(filter)), Vec::new(), None).await
}

async fn found(
    store: &Store,
    filter: Option<Condition>,
    sort_by: Vec<Sort>,
    limit: Option<usize>,
) -> Vec<i64> {
    let find = Operation::Find {
        filter,
        sort_by,
        limit,
    };
    let output = store.read(&name(), &find).await.unwrap().unwrap();
    let items = output["items"].as_array().unwrap().clone();
    assert_eq!(output["count"], json!(items.len()));
    items
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect()
}

async fn perform(store: &Store, operation: Operation) -> Performed {
    queue(store, "a", 0).await;
    let job = claim_one(store, 1).await;
    let step = TableStep {
        key: key("step"),
        table: name(),
        operation,
    };
    let advance = Advance {
        table_operations: vec![step],
        next: ended_well(json!(1)),
        ..Advance::default()
    };
    let committed = store.commit(&job.lease, at(2), advance).await.unwrap();
    committed.performed[0].1.clone()
}

async fn open(store: &Store) {
    store.declare(&[learners()], at(0)).await.unwrap();
}

async fn rows_are_found_by_conditions(store: &Store) {
    open(store).await;
    assert_eq!(find(store, "$.row.id: { equals: 9 }").await, [9]);
    assert_eq!(find(store, "$.row.id: { in: [10, 2, 7] }").await, [2, 10]);
    assert_eq!(find(store, "$.row.group: { equals: 1 }").await, [9, 10]);
    let both = "{ $.row.group: { in: [1, 2] }, $.row.active: { is: true } }";
    assert_eq!(find(store, both).await, [2, 10]);
    assert_eq!(find(store, "$.row.active: { is: false }").await, [9]);
    assert_eq!(
        find(store, "$.row.group: { greater_than: 1 }").await,
        [1, 2]
    );
    assert_eq!(
        find(store, "$.row.note?: { is: present }").await,
        [] as [i64; 0]
    );
    let either = "any: [{ $.row.id: { equals: 1 } }, { $.row.group: { equals: 2 } }]";
    assert_eq!(find(store, either).await, [1, 2]);
    let count = Operation::Count {
        filter: Some(condition("$.row.group: { equals: 1 }")),
    };
    let output = store.read(&name(), &count).await.unwrap();
    assert_eq!(output, Ok(json!({ "count": 2 })));
}

async fn what_is_looked_up_is_normalised(store: &Store) {
    open(store).await;
    assert_eq!(
        find(store, "$.row.email: { equals: ' Two@Example.com' }").await,
        [2]
    );
    assert_eq!(
        find(store, "$.row.email: { in: ['ONE@example.com', x@y.z] }").await,
        [1]
    );
    let not = "$.row.email: { not_equals: 'ONE@example.com' }";
    assert_eq!(find(store, not).await, [2, 9, 10]);
}

async fn rows_are_sorted_and_limited(store: &Store) {
    open(store).await;
    assert_eq!(
        found(store, None, Vec::new(), Some(3)).await,
        [1, 2, 9],
        "in the order of keys"
    );
    let by = |path: &str, descending| Sort {
        value: expression(path),
        descending,
    };
    let order = vec![by("$.row.active", false), by("$.row.group", true)];
    assert_eq!(found(store, None, order, None).await, [9, 1, 2, 10]);
}

async fn an_update_changes_what_it_meets(store: &Store) {
    open(store).await;
    let update = |set: &str, expect| Operation::Update {
        filter: Some(condition("$.row.group: { equals: 1 }")),
        set: expression(set),
        expect,
    };
    let done = perform(store, update("{ active: false }", Some(2))).await;
    assert_eq!(done, Ok(json!({ "changed": 1 })));
    let done = perform(store, update("{ group: '{{add row.group 1}}' }", None)).await;
    assert_eq!(done, Ok(json!({ "changed": 2 })));
    assert_eq!(find(store, "$.row.group: { equals: 2 }").await, [2, 9, 10]);
    let done = perform(store, update("{ group: none }", None)).await;
    assert_eq!(
        done,
        Ok(json!({ "changed": 0 })),
        "nobody is in group 1 any more"
    );
    let delete = Operation::Delete {
        filter: Some(condition("$.row.group: { equals: 2 }")),
        expect: None,
    };
    assert_eq!(perform(store, delete).await, Ok(json!({ "removed": 3 })));
    assert_eq!(
        perform(store, Operation::Truncate).await,
        Ok(json!({ "removed": 1 }))
    );
}

async fn an_update_may_move_keys(store: &Store) {
    open(store).await;
    let shift = |filter: &str| Operation::Update {
        filter: Some(condition(filter)),
        set: expression("{ id: '{{add row.id 1}}' }"),
        expect: None,
    };
    let done = perform(store, shift("$.row.id: { equals: 1 }")).await;
    assert_eq!(done.unwrap_err().code, "row_exists");
    let done = perform(store, shift("$.row.id: { in: [1, 2] }")).await;
    assert_eq!(done, Ok(json!({ "changed": 2 })));
    assert_eq!(found(store, None, Vec::new(), None).await, [2, 3, 9, 10]);
    assert_eq!(
        find(store, "$.row.email: { equals: one@example.com }").await,
        [2]
    );
    let get = Operation::Get {
        key: [("id".to_owned(), json!(3))]
            .into_iter()
            .collect::<Object>(),
    };
    let got: Value = store.read(&name(), &get).await.unwrap().unwrap();
    assert_eq!(got["row"]["email"], json!("two@example.com"));
}

async fn an_expectation_that_fails_changes_nothing(store: &Store) {
    open(store).await;
    let delete = Operation::Delete {
        filter: Some(condition("$.row.group: { equals: 1 }")),
        expect: Some(1),
    };
    let refused = perform(store, delete).await.unwrap_err();
    assert_eq!(refused.code, "expectation_failed");
    assert!(refused.message.contains("expects 1") && refused.message.contains("meets 2"));
    assert_eq!(found(store, None, Vec::new(), None).await.len(), 4);
}
