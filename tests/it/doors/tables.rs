//! Rows of lookup tables, as JSON and as CSV, good and bad.

use std::fmt::Write;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, Vendor, taken, write};
use super::process::{ended, said};

const PARTS: &str = "
title: Parts
columns:
  code: { label: Part code, type: string, required: true, normalise: [trim, uppercase] }
  count: { label: In stock, type: integer }
  kept: { label: Kept, type: boolean, default: false }
key: [code]
";
const ROWS: &str = "/api/lookup-tables/parts/rows";

async fn house() -> House {
    let parts = PARTS.replace("uppercase", "lowercase");
    House::of(&[("lookup-tables/parts.yaml", &parts)]).await
}

async fn import(house: &House, csv: String) -> (StatusCode, Value) {
    let token = house.listening.local_token.reveal();
    let request = house
        .request(Method::PUT, ROWS)
        .bearer_auth(token)
        .header("content-type", "text/csv")
        .body(csv);
    taken(request.send().await.unwrap()).await
}

async fn export(house: &House) -> String {
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::GET, ROWS).bearer_auth(token);
    let request = request.header("accept", "text/csv");
    request.send().await.unwrap().text().await.unwrap()
}

/// A CSV file of 5,000 rows with something else than a number in one line.
fn csv(wrong_line: Option<u64>) -> String {
    let mut csv = "Part code,In stock,Kept\n".to_owned();
    for line in 2..=5_001 {
        let count = match wrong_line {
            Some(wrong) if wrong == line => "twelve".to_owned(),
            _ => line.to_string(),
        };
        writeln!(csv, "p{line:05},{count},true").unwrap();
    }
    csv
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_type_in_line_4711_is_named_and_nothing_is_kept() {
    let house = house().await;
    let (status, problem) = import(&house, csv(Some(4_711))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
    let error = &problem["errors"][0];
    assert_eq!(error["line"], 4_711);
    assert_eq!(error["column"], "In stock");
    assert!(
        error["message"].as_str().unwrap().contains("twelve"),
        "{error}"
    );
    let (_, answer) = house.get(ROWS).await;
    assert_eq!(answer["rows"], json!([]));

    let (status, answer) = import(&house, csv(None)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["added"], 5_000);
    let (_, answer) = import(&house, export(&house).await).await;
    assert_eq!(
        answer["unchanged"], 5_000,
        "what was exported reads back the same"
    );
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_put_found_paged_and_deleted() {
    let house = house().await;
    let rows = json!({ "rows": [{ "code": " A ", "count": 1 }, { "code": "b" }, { "code": "c" }] });
    let (status, answer) = house.ask(Method::PUT, ROWS, Some(rows)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["added"], 3);
    let (_, page) = house.get(&format!("{ROWS}?limit=2")).await;
    assert_eq!(page["rows"][0]["code"], "a");
    assert_eq!(page["rows"][0]["kept"], false);
    assert_eq!(page["rows"][0]["_written_by"], "person:cli");
    let (_, rest) = house.get(page["next"].as_str().unwrap()).await;
    assert_eq!(rest["rows"].as_array().unwrap().len(), 1);
    assert!(rest["next"].is_null());
    let (_, found) = house.get(&format!("{ROWS}?where.code=B")).await;
    assert_eq!(found["rows"], json!([{ "code": "b", "kept": false }]));
    let (_, found) = house.get(&format!("{ROWS}?where.code=$.row.code")).await;
    assert_eq!(found["rows"], json!([]), "a value is no path");
    let number = &page["rows"][0]["_number"];
    let path = format!("{ROWS}?number={number}");
    assert_eq!(
        house.ask(Method::DELETE, &path, None).await.0,
        StatusCode::OK
    );
    let (status, _) = house.ask(Method::DELETE, &path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_change_nothing() {
    let house = house().await;
    let cases = [
        (
            json!({ "rows": [{ "code": "a" }, { "code": "b", "count": "2" }] }),
            422,
            "row 2",
        ),
        (json!({ "rows": [{ "count": 2 }] }), 422, "code"),
        (
            json!({ "rows": [{ "code": "a", "cuont": 2 }] }),
            422,
            "did you mean `count`",
        ),
        (json!({ "row": [] }), 422, "unknown field"),
        (json!([1]), 422, ""),
    ];
    for (body, expected, said) in cases {
        let (status, problem) = house.ask(Method::PUT, ROWS, Some(body.clone())).await;
        assert_eq!(status.as_u16(), expected, "{body} {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{body}: {detail}");
    }
    for wrong in ["limit=0", "where.colour=1", "after=x", "sort=code"] {
        let (status, problem) = house.get(&format!("{ROWS}?{wrong}")).await;
        assert!(status.is_client_error(), "{wrong} {problem}");
    }
    assert_eq!(
        house.ask(Method::DELETE, ROWS, None).await.0,
        StatusCode::BAD_REQUEST
    );
    let (status, problem) = house.get("/api/lookup-tables/part/rows").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean `parts`")
    );
    let csv = "Part code,Colour\nx,red\n".to_owned();
    assert_eq!(
        import(&house, csv).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let (_, answer) = house.get(ROWS).await;
    assert_eq!(answer["rows"], json!([]));
    house.engine.shutdown().await;
}

const STOCKTAKING: &str = "
title: Stocktaking
trigger: { function: { input: {}, output: { found: integer } } }
steps:
  - id: shelves
    action: http.request
    with: { path: /shelves }
  - id: low
    table: parts
    find: { where: { $.row.count: { less_than: 3 } } }
  - return: { found: $.steps.low.count }
";

/// Nothing of such a change is taken until the job has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_stays_while_unfinished_jobs_use_it() {
    let vendor = Vendor::open().await;
    let parts = PARTS.replace("uppercase", "lowercase");
    let parts = parts.replace("type: integer", "type: integer, required: true");
    let house = House::of(&[
        ("lookup-tables/parts.yaml", &parts),
        ("recipes/stories/stocktaking.yaml", STOCKTAKING),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    let id = &house.run("stocktaking", json!({})).await;
    let asked = vendor.asked().await;
    let without = parts.replace(
        "  count: { label: In stock, type: integer, required: true }\n",
        "",
    );
    let retyped = parts.replace("In stock, type: integer", "In stock, type: boolean");
    for changed in [&without, &retyped] {
        assert_ne!(changed, &parts);
        write(house.folder.path(), "lookup-tables/parts.yaml", changed);
        let why = house.engine.take_up_files().await.unwrap_err();
        let whose = "one unfinished job of `stories/stocktaking`";
        assert!(why.contains(whose), "{why}");
        assert!(why.contains("recipes/stories/stocktaking.yaml:"), "{why}");
        assert!(why.contains("cancel"), "{why}");
    }
    asked.answer("[]").await;
    let job = house.ended(id).await;
    assert_eq!(job["output"], json!({ "found": 0 }), "{job}");
    house.engine.take_up_files().await.unwrap();
    house.engine.shutdown().await;
}

const LINES: &str = "
title: Lines
columns: { text: { type: string, required: true } }
";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_row_was_is_shown_by_its_key_also_when_it_is_gone_and_no_server_runs() {
    let parts = PARTS.replace("uppercase", "lowercase");
    let files = [
        ("lookup-tables/parts.yaml", &*parts),
        ("lookup-tables/lines.yaml", LINES),
    ];
    let house = House::of(&files).await;
    let folder = house.folder.clone();
    for count in [1, 2] {
        let rows = json!({ "rows": [{ "code": "a1", "count": count }] });
        let (status, answer) = house.ask(Method::PUT, ROWS, Some(rows)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let (_, list) = house.get(ROWS).await;
    let number = list["rows"][0]["_number"].to_string();
    let removed = said(&ended(
        folder.path(),
        &["tables", "delete", "parts", &number],
    ));
    assert_eq!(removed, format!("parts: row {number} is removed\n"));

    let (status, answer) = house
        .get("/api/lookup-tables/parts/history?where.code=A1%20&limit=2")
        .await;
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
        let path = format!("/api/lookup-tables/parts/history{query}");
        let (status, answer) = house.get(&path).await;
        assert_eq!(status, wanted, "{query}: {answer}");
    }

    let rows = json!({ "rows": [{ "text": "one" }] });
    let lines = "/api/lookup-tables/lines/rows";
    house.ask(Method::PUT, lines, Some(rows)).await;
    let (_, list) = house.get(lines).await;
    let number = list["rows"][0]["_number"].to_string();
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
