//! Rows of lookup tables, as JSON and as CSV, good and bad.

use std::fmt::Write;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, Vendor, taken, write};

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

async fn export(house: &House, rows: &str) -> String {
    let token = house.listening.local_token.reveal();
    let request = house.request(Method::GET, rows).bearer_auth(token);
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
    let (_, answer) = import(&house, export(&house, ROWS).await).await;
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

const PEOPLE: &str = "
title: People
columns:
  mail: { label: Mail, type: string, required: true }
  name: { label: Full name, type: string }
  age: { label: Age, type: integer, default: 18 }
  pin: { label: PIN, type: string, secret: true }
key: [mail]
";

/// A file of people is taken in, or all that it does not have goes; what is answered, and what the
/// table holds then, the PIN by what a recipe sees of it.
async fn people_after(house: &House, query: &str, csv: &str) -> (Value, Value) {
    let rows = "/api/lookup-tables/people/rows";
    let request = house
        .request(Method::PUT, &format!("{rows}{query}"))
        .bearer_auth(house.listening.local_token.reveal())
        .header("content-type", "text/csv")
        .body(csv.to_owned());
    let (status, answer) = taken(request.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let id = house.run("pins", json!({})).await;
    (answer, house.ended(&id).await["output"]["people"].clone())
}

const PINS: &str = "
title: Whose PIN is which
trigger: { function: { input: {}, output: { people: any } } }
steps:
  - id: all
    table: people
    find: {}
  - id: seen
    transform:
      from: $.steps.all.items
      select:
        who: \"{{item.mail}} {{item.name?}} {{item.age}}\"
        has: \"{{is_present item.pin?}}\"
  - return: { people: $.steps.seen.items }
";

async fn people() -> House {
    let house = House::of(&[
        ("lookup-tables/people.yaml", PEOPLE),
        ("recipes/stories/pins.yaml", PINS),
    ])
    .await;
    let rows = json!({ "rows": [
        { "mail": "ann", "name": "Ann", "age": 30, "pin": "1234-5678" },
        { "mail": "bob", "name": "Bob", "age": 40 },
    ] });
    let put = house
        .ask(Method::PUT, "/api/lookup-tables/people/rows", Some(rows))
        .await;
    assert_eq!(put.0, StatusCode::OK, "{}", put.1);
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_empties_no_column_that_it_does_not_have_and_no_secret() {
    let house = people().await;
    let all = json!([{ "who": "ann Ann 30", "has": true }, { "who": "bob Bob 40", "has": false }]);
    let exported = export(&house, "/api/lookup-tables/people/rows").await;
    assert_eq!(
        exported,
        "Mail,Full name,Age,PIN\nann,Ann,30,\nbob,Bob,40,\n"
    );
    for query in ["", "?replace=true"] {
        let (answer, people) = people_after(&house, query, &exported).await;
        assert_eq!(people, all, "{query}");
        assert_eq!(answer["unchanged"], 2, "{answer}");
        assert_eq!(answer["secrets_kept"], 1, "{answer}");
        let (answer, people) = people_after(&house, query, "Mail,PIN\nann,***\nbob,\n").await;
        assert_eq!(people, all, "{query}");
        assert_eq!(answer["unchanged"], 2, "{answer}");
    }
    let (answer, people) = people_after(&house, "?replace=true", "Mail,Age\nann,31\n").await;
    assert_eq!(people, json!([{ "who": "ann Ann 31", "has": true }]));
    assert_eq!(
        (&answer["changed"], &answer["removed"]),
        (&json!(1), &json!(1))
    );
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_cell_empties_a_column_that_the_file_has() {
    let house = people().await;
    for query in ["", "?replace=true"] {
        let csv = "Mail,Full name,Age\nann,,\nbob,Bob,40\n";
        let (answer, people) = people_after(&house, query, csv).await;
        let expected =
            json!([{ "who": "ann  18", "has": true }, { "who": "bob Bob 40", "has": false }]);
        assert_eq!(people, expected, "{query} {answer}");
        people_after(
            &house,
            query,
            "Mail,Full name,Age\nann,Ann,30\nbob,Bob,40\n",
        )
        .await;
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_shows_that_a_secret_is_there_and_what_it_shows_changes_nothing() {
    let house = people().await;
    let (_, answer) = house
        .get("/api/lookup-tables/people/rows?reveal=personal")
        .await;
    assert_eq!(answer["rows"][0]["pin"], "***");
    assert_eq!(answer["rows"][1]["pin"], Value::Null);
    let shown =
        json!({ "rows": [{ "mail": "ann", "pin": "***" }, { "mail": "bob", "pin": "***" }] });
    let path = "/api/lookup-tables/people/rows";
    let (_, answer) = house.ask(Method::PUT, path, Some(shown)).await;
    assert_eq!(answer["unchanged"], 2, "{answer}");
    let emptied = json!({ "rows": [{ "mail": "ann", "pin": null }] });
    let (_, answer) = house.ask(Method::PUT, path, Some(emptied)).await;
    assert_eq!(answer["changed"], 1, "{answer}");
    let (_, answer) = house.get(path).await;
    assert_eq!(answer["rows"][0]["pin"], Value::Null);
    house.engine.shutdown().await;
}

/// Without a key, a row of the file is the one that holds the same in all columns of the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_a_key_keeps_what_the_file_does_not_have_too() {
    let keyless = PEOPLE.replace("key: [mail]\n", "");
    let house = House::of(&[
        ("lookup-tables/people.yaml", &keyless),
        ("recipes/stories/pins.yaml", PINS),
    ])
    .await;
    let rows = json!({ "rows": [
        { "mail": "ann", "name": "Ann", "pin": "1234-5678" },
        { "mail": "ann", "name": "Ann", "pin": "8765-4321" },
        { "mail": "bob", "name": "Bob", "age": 40 },
    ] });
    let path = "/api/lookup-tables/people/rows";
    let (_, answer) = house.ask(Method::PUT, path, Some(rows)).await;
    assert_eq!(answer["added"], 3, "{answer}");
    let csv = "Mail,Age,PIN\nann,,\nann,18,8765-4321\ncid,50,\n";
    let (answer, people) = people_after(&house, "?replace=true", csv).await;
    let expected = json!([
        { "who": "ann Ann 18", "has": true },
        { "who": "ann Ann 18", "has": true },
        { "who": "cid  50", "has": false },
    ]);
    assert_eq!(people, expected, "{answer}");
    let expected =
        json!({ "added": 1, "changed": 0, "removed": 1, "unchanged": 2, "secrets_kept": 1 });
    assert_eq!(answer, expected);
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
