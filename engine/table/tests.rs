//! CSV files in and out.

use serde_json::json;

use super::{Column, CsvFault, Normalise, Table};
use crate::data::Value;
use crate::names::TableName;
use crate::shape::{Field, Shape};

fn column(label: &str, field: Field) -> Column {
    Column {
        field: Field {
            label: Some(label.to_owned()),
            ..field
        },
        unique: false,
        normalise: vec![Normalise::Trim],
    }
}

fn table() -> Table {
    let kind = Shape::Enum(vec![json!("Course"), json!("Plan")]);
    Table {
        name: TableName::new("mappings").unwrap(),
        title: "Mappings".to_owned(),
        columns: [
            (
                "id".to_owned(),
                column("Entry ID", Field::required(Shape::Integer)),
            ),
            ("kind".to_owned(), column("Kind", Field::required(kind))),
            (
                "active".to_owned(),
                column("Is active", Field::optional(Shape::Boolean)),
            ),
            (
                "since".to_owned(),
                column("Since", Field::optional(Shape::Date)),
            ),
        ]
        .into_iter()
        .collect(),
        key: vec!["id".to_owned()],
        first_rows: Vec::new(),
    }
}

fn rows(text: &str) -> Value {
    let rows = table().parse_csv(text.as_bytes(), &|_| Ok(())).unwrap();
    Value::Array(rows.into_iter().map(Value::Object).collect())
}

fn faults(text: &str) -> Vec<String> {
    let faults = table().parse_csv(text.as_bytes(), &|_| Ok(())).unwrap_err();
    faults.iter().map(CsvFault::to_string).collect()
}

#[test]
fn a_file_with_labels_in_any_order_is_read() {
    let text =
        "\u{feff}Kind,Entry ID,Since,Is active\r\nCourse,7,2026-03-01,TRUE\r\n\r\nPlan, 8 ,,\r\n";
    let expected = json!([
        { "id": 7, "kind": "Course", "active": true, "since": "2026-03-01" },
        { "id": 8, "kind": "Plan", "active": null, "since": null },
    ]);
    assert_eq!(rows(text), expected);
    assert_eq!(
        rows("Entry ID;Kind\n7;Plan"),
        json!([{ "id": 7, "kind": "Plan" }])
    );
}

#[test]
fn what_is_exported_reads_back_the_same() {
    let text = "Entry ID,Kind,Is active,Since\n7,Course,true,2026-03-01\n8,Plan,,\n";
    let rows = table().parse_csv(text.as_bytes(), &|_| Ok(())).unwrap();
    assert_eq!(table().write_csv(&rows).unwrap(), text);
}

#[test]
fn every_wrong_cell_is_named_by_line_and_column() {
    let text = "Entry ID,Kind,Is active,Since\n\
                seven,course,perhaps,1.3.2026\n\
                ,Plan,,\n\
                9,Plan\n\
                7,Plan,,\n\
                7,Course,,\n";
    assert_eq!(
        faults(text),
        [
            "line 2, column `Entry ID`: expected a whole number such as 42, not `seven`",
            "line 2, column `Kind`: expected one of `Course`, `Plan`, letter for letter, not \
             `course`",
            "line 2, column `Is active`: expected true or false, not `perhaps`",
            "line 2, column `Since`: expected a date such as 2026-03-01, not `1.3.2026`",
            "line 3, column `Entry ID`: is required and empty",
            "line 4: has 2 cells, the header has 4",
            "line 6, column `Entry ID`: holds the same as line 5",
        ]
    );
}

#[test]
fn a_header_that_does_not_fit_is_refused() {
    assert_eq!(
        faults("Entry ID,Kinds\n1,Plan\n"),
        ["line 1, column `Kinds`: is no column of this table; did you mean `Kind`?"]
    );
    assert_eq!(
        faults("Entry ID,Since\n1,\n"),
        ["line 1, column `Kind`: is required and missing from the header"]
    );
    assert_eq!(
        faults("Entry ID,Kind,Kind\n1,Plan,Plan\n"),
        ["line 1, column `Kind`: stands in the header twice"]
    );
    assert_eq!(faults(""), ["line 1: the file is empty; expected a header"]);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let faults = table()
        .parse_csv(b"Entry ID,Kind\n1,\xff\n", &|_| Ok(()))
        .unwrap_err();
    assert_eq!(faults[0].line, 2);
}
