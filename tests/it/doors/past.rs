//! What rows of lookup tables were, by key and by number, over the API and on the command line.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::house::House;
use super::process::{ended, said};

const PARTS: &str = "
title: Parts
columns:
  code: { type: string, required: true, normalise: [trim, lowercase] }
  count: { type: integer }
  kept: { type: boolean, default: false }
key: [code]
";
const ROWS: &str = "/api/lookup-tables/parts/rows";
const LINES: &str = "
title: Lines
columns: { text: { type: string, required: true } }
";
const LINE_ROWS: &str = "/api/lookup-tables/lines/rows";

/// A house with a row that was changed and removed, and a table without a key that has one.
async fn house_with_a_past() -> House {
    let files = [
        ("lookup-tables/parts.yaml", PARTS),
        ("lookup-tables/lines.yaml", LINES),
    ];
    let house = House::of(&files).await;
    for (address, row) in [
        (ROWS, json!({ "code": "a1", "count": 1 })),
        (ROWS, json!({ "code": "a1", "count": 2 })),
        (LINE_ROWS, json!({ "text": "one" })),
    ] {
        let rows = Some(json!({ "rows": [row] }));
        let (status, answer) = house.ask(Method::PUT, address, rows).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let number = number_of_first(&house, ROWS).await;
    let delete = ["tables", "delete", "parts", &number];
    let told = said(&ended(house.folder.path(), &delete));
    assert_eq!(told, format!("parts: row {number} is removed\n"));
    house
}

async fn number_of_first(house: &House, address: &str) -> String {
    let (_, list) = house.get(address).await;
    list["rows"][0]["_number"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rows_history_is_asked_for_by_its_whole_key() {
    let house = house_with_a_past().await;
    let history = "/api/lookup-tables/parts/history";
    let path = format!("{history}?where.code=A1%20&limit=2");
    let (status, answer) = house.get(&path).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["versions"][0]["change"], "removed", "{answer}");
    assert_eq!(answer["versions"].as_array().unwrap().len(), 2, "{answer}");
    for (query, wanted) in [
        ("", StatusCode::BAD_REQUEST),
        ("?where.count=1", StatusCode::BAD_REQUEST),
        ("?where.code=a1&where.count=1", StatusCode::BAD_REQUEST),
        ("?where.size=1", StatusCode::UNPROCESSABLE_ENTITY),
        ("?where.code=b1", StatusCode::NOT_FOUND),
    ] {
        let (status, answer) = house.get(&format!("{history}{query}")).await;
        assert_eq!(status, wanted, "{query}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_row_was_is_shown_by_its_key_also_when_it_is_gone_and_no_server_runs() {
    let house = house_with_a_past().await;
    let folder = house.folder.clone();
    let number = number_of_first(&house, LINE_ROWS).await;
    let told = said(&ended(
        folder.path(),
        &["tables", "history", "lines", &number],
    ));
    assert!(told.lines().nth(1).unwrap().ends_with("\tone"), "{told}");

    let history = ["tables", "history", "parts", "A1"];
    let served = said(&ended(folder.path(), &history));
    let lines: Vec<Vec<&str>> = served
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let columns = ["version", "change", "at", "by", "code", "count", "kept"];
    assert_eq!(lines[0], columns);
    let told: Vec<_> = lines[1..]
        .iter()
        .map(|line| (line[1], line[3], line[5]))
        .collect();
    let by = "person:cli";
    assert_eq!(
        told,
        [
            ("removed", by, "2"),
            ("changed", by, "2"),
            ("added", by, "1")
        ]
    );
    house.engine.shutdown().await;
    assert_eq!(said(&ended(folder.path(), &history)), served);

    for (words, wanted) in [
        (
            ["parts", "a1", "2"].as_slice(),
            "the key of table `parts` is code: ",
        ),
        (&["parts", "zz"], "and never had one"),
        (&["lines", "1", "2"], "`lines` has no key"),
        (&["prats", "a1"], "there is no lookup table `prats`"),
    ] {
        let refused = ended(folder.path(), &[&["tables", "history"], words].concat());
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{why}");
        assert!(why.contains(wanted), "{why}");
    }
}
