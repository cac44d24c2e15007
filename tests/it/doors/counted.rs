//! What a preview prints: counts with examples, and that it was cut short.

use recipe_engine::data::Value;
use reqwest::StatusCode;
use serde_json::json;

use super::house::{House, Vendor};
use super::process::{ended, said};

const MANY: &str = "
title: Many
trigger: { manual: {} }
steps:
  - id: each
    foreach: [1, 2, 3, 4, 5]
    as: number
    do:
      - id: sent
        action: http.request
        with: { path: /sink, body: { number: $.number } }
";

const SLOW: &str = "
title: Slow
trigger: { manual: {} }
steps:
  - log: begin
  - id: asked
    action: http.get
    with: { path: /slow }
  - log: end
";

async fn house() -> (House, Vendor) {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let files = [
        ("recipes/stories/many.yaml", MANY),
        ("recipes/stories/slow.yaml", SLOW),
        ("connections.yaml", &*connections),
    ];
    (House::of(&files).await, vendor)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_counts_what_is_alike_and_lists_it_if_asked() {
    let (house, _vendor) = house().await;
    let folder = house.folder.path();
    let told = said(&ended(folder, &["run", "many", "--preview"]));
    assert!(
        told.contains("would be sent (5):\n  5 times http.request at each/sent, such as\n"),
        "{told}"
    );
    assert!(
        told.contains("    and 2 more (--all lists them)\n"),
        "{told}"
    );
    let count = |told: &str| told.matches("\"number\":").count();
    assert_eq!(count(&told), 3, "{told}");
    let told = said(&ended(folder, &["run", "many", "--preview", "--all"]));
    assert_eq!(count(&told), 5, "{told}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_was_cut_says_so_first_and_last_and_how_far_it_came() {
    let (house, _vendor) = house().await;
    let output = ended(
        house.folder.path(),
        &["run", "slow", "--preview", "--for", "1s"],
    );
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = told.lines().next().unwrap();
    assert!(
        first.starts_with("CUT SHORT: it took longer than 1 s; this is not all"),
        "{told}"
    );
    assert!(first.contains("it came to step "), "{told}");
    assert!(first.contains("--for 30m"), "{told}");
    assert_eq!(told.lines().last(), Some(first), "{told}");
    assert!(told.contains("its end was not reached"), "{told}");
    house.engine.shutdown().await;
}

#[tokio::test]
async fn a_preview_works_as_long_as_it_is_told_and_no_longer_than_an_hour() {
    let (house, _vendor) = house().await;
    let path = "/api/recipes/stories/slow/run";
    let ask = async |wish: Value| house.post(path, wish).await;
    let (status, _) = ask(json!({ "preview": true, "for": "61m" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = ask(json!({ "for": "1m" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, shown) = ask(json!({ "preview": true, "for": "1s" })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(shown["is_cut_short"], true, "{shown}");
    assert_eq!(shown["cut_short_because"], "it took longer than 1 s");
}
