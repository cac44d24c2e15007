//! The doctor of a project asks the vendors, and the command tells of it.

use std::path::Path;
use std::sync::Arc;

use recipe_engine::settings::Settings;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{House, Vendor, workspace};
use super::process::ended;
use super::shop::{CONNECTIONS, COUNT, SHOP, examined, section, set, shop};

const DOCTOR: &str = "
title: Doctor
trigger:
  function:
    output:
      findings: [{ level: { enum: [error, warning, note] }, text: string, help: string? }]
steps:
  - id: found
    action: courier.find
    with: { owner: Zsofia Planted }
  - id: rows
    table: parcels
    count: {}
  - return:
      findings:
        - { level: note, text: \"{{to_text steps.rows.count}} parcels\" }
        - level: error
          text: \"the parcel of {{steps.found.owner}} is at {{steps.found.place}}\"
          help: fetch it
";

/// The shop with a doctor, at this vendor.
async fn with_doctor(connections: &str) -> House {
    let project = format!("{SHOP}doctor: doctor\n");
    let count = COUNT.replace("ADVICE", "optional");
    let mut files = shop(&count, connections);
    files[0].1 = &project;
    files.push(("recipes/shop/doctor.yaml", DOCTOR));
    let house = House::of(&files).await;
    set(&house, "MODE", "FAST").await;
    house
}

#[tokio::test]
async fn a_projects_own_checks_ask_the_vendor_and_change_nothing() {
    let vendor = Vendor::open().await;
    let connections = CONNECTIONS.replace("http://127.0.0.1:9", &vendor.url());
    let house = with_doctor(&connections).await;
    let answering = async {
        let asked = vendor.asked().await;
        assert!(asked.text.starts_with("GET /parcels"), "{}", asked.text);
        let body = r#"{ "place": "Graz", "owner": "Zsofia Planted" }"#;
        asked.answer(body).await;
    };
    let (body, ()) = tokio::join!(examined(&house, ""), answering);
    assert_eq!(
        section(&body, "own_checks"),
        [
            "error: the parcel of *** is at Graz -> fetch it",
            "note: 1 parcels",
        ]
    );
    assert_eq!(body["is_well"], false);
    let (_, jobs) = house.get("/api/jobs").await;
    assert_eq!(jobs["jobs"], json!([]), "{jobs}");
    let body = examined(&house, "?offline=true").await;
    let own = section(&body, "own_checks");
    assert!(own[0].contains("left alone"), "{own:?}");
}

#[tokio::test]
async fn vendors_that_cannot_be_asked_are_told_of() {
    let house = with_doctor("connections: {}\n").await;
    let own = section(&examined(&house, "").await, "own_checks");
    assert!(
        own[0].starts_with("warning: the vendors were not asked: there is no connection `courier`"),
        "{own:?}"
    );
    let vendor = Vendor::open().await;
    let connections = CONNECTIONS.replace("http://127.0.0.1:9", &vendor.url());
    let house = with_doctor(&connections).await;
    let refusing = async { vendor.asked().await.refuse().await };
    let (body, ()) = tokio::join!(examined(&house, ""), refusing);
    let own = section(&body, "own_checks");
    assert!(
        own[0].starts_with("error: the checks could not be made: "),
        "{own:?}"
    );
    assert!(own[0].contains("400"), "{own:?}");
}

/// A doctor that goes on where a call fails, and tells how.
const PATIENT_DOCTOR: &str = "
title: Doctor
trigger:
  function:
    output:
      findings:
        - { level: { enum: [error, warning, note] }, text: string, help: string?, code: string?, connection: string? }
steps:
  - try:
      - action: courier.find
        with: { owner: Ann }
    catch:
      do:
        - set:
            refused:
              level: error
              text: The courier cannot be asked.
              help: Ask the courier to let you in.
              code: $.error.code
              connection: courier
  - return: { findings: [$.vars.refused] }
";

#[tokio::test]
async fn advice_follows_what_went_wrong() {
    let project = format!("{SHOP}doctor: doctor\n");
    let count = COUNT.replace("ADVICE", "optional");
    let own = async |connections: &str, status: Option<&str>| {
        let vendor = Vendor::open().await;
        let connections = connections.replace("VENDOR", &vendor.url());
        let mut files = shop(&count, &connections);
        files[0].1 = &project;
        files.push(("recipes/shop/doctor.yaml", PATIENT_DOCTOR));
        let house = House::of(&files).await;
        let Some(status) = status else {
            return section(&examined(&house, "").await, "own_checks").remove(0);
        };
        let refusing = async {
            loop {
                vendor.asked().await.refuse_with(status).await;
            }
        };
        tokio::select! {
            body = examined(&house, "") => section(&body, "own_checks").remove(0),
            () = refusing => unreachable!("it refuses for ever"),
        }
    };
    let down = own(CONNECTIONS, None).await;
    assert!(down.contains("-> see whether the vendor is up"), "{down}");
    assert!(down.contains("`recipes connections check courier`"));
    let there = CONNECTIONS.replace("http://127.0.0.1:9", "VENDOR");
    let refused = own(&there, Some("401 Unauthorized")).await;
    assert!(
        refused.contains("-> the account is refused: correct the user name, password"),
        "{refused}"
    );
    let forbidden = own(&there, Some("403 Forbidden")).await;
    assert!(
        forbidden.ends_with("-> Ask the courier to let you in."),
        "{forbidden}"
    );
}

#[tokio::test]
async fn a_missing_secret_is_asked_for_where_it_is_missing() {
    let count = COUNT.replace("ADVICE", "optional");
    for (source, help) in [
        (
            "{ file: secrets/no-such }",
            "into the file `secrets/no-such` of the workspace",
        ),
        (
            "{ env: NO_SUCH_VARIABLE }",
            "set `NO_SUCH_VARIABLE` in the environment of the server",
        ),
    ] {
        let connections = CONNECTIONS.replace("{ file: secret }", source);
        let house = House::of(&shop(&count, &connections)).await;
        let found = section(&examined(&house, "?offline=true").await, "connections");
        let (_, told) = found[0].split_once(" -> ").expect("what to do");
        assert!(told.contains(help), "{told}");
        let is_file = source.contains("file");
        assert_eq!(told.contains("environment"), !is_file, "{told}");
    }
}

fn printed(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = ended(folder, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said)
}

#[tokio::test]
async fn the_command_says_the_same_whether_a_server_runs_or_not() {
    let count = COUNT.replace("ADVICE", "optional");
    let folder = Arc::new(workspace(&shop(&count, CONNECTIONS)));
    let asked = ["doctor", "shop", "--json"];
    let alone = printed(folder.path(), &asked);
    assert_eq!(alone.0, Some(1), "{}", alone.1);
    let house = House::with(folder.clone(), Settings::private(folder.path())).await;
    let path = folder.path().to_owned();
    let served = tokio::task::spawn_blocking(move || printed(&path, &asked));
    let (code, served) = served.await.unwrap();
    assert_eq!(code, alone.0);
    // But for one thing: that no server runs.
    let mut without: Value = serde_json::from_str(&alone.1).unwrap();
    let recipes = &mut without["sections"][5]["findings"];
    let first = recipes.as_array_mut().unwrap().remove(1);
    assert_eq!(first["level"], "warning");
    assert!(
        first["text"]
            .as_str()
            .unwrap()
            .starts_with("no server runs on this workspace")
    );
    assert_eq!(serde_json::from_str::<Value>(&served).unwrap(), without);
    set(&house, "MODE", "FAST").await;
    let start = "/api/recipes/shop/deliver-a-parcel/start";
    assert_eq!(house.post(start, json!({})).await.0, StatusCode::OK);
    let path = folder.path().to_owned();
    let well = tokio::task::spawn_blocking(move || printed(&path, &["doctor", "shop"]));
    let (code, text) = well.await.unwrap();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("Shop (shop 2.1.0)\n"), "{text}");
    assert!(
        text.contains("\nWhat the present settings will do\n"),
        "{text}"
    );
    assert!(
        text.ends_with("\nnothing is wrong, one to beware of\n"),
        "{text}"
    );
    let (status, body) = house.get("/api/projects/shopp/doctor").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.to_string().contains("did you mean `shop`?"), "{body}");
    let wrong = "/api/projects/shop/doctor?ofline=true";
    assert_eq!(house.get(wrong).await.0, StatusCode::BAD_REQUEST);
}
