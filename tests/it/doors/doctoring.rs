//! The doctor: what is missing or wrong, what settings do, what to start.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::house::{House, workspace, write};
use super::shop::{CONNECTIONS, COUNT, COURIER, PARCELS, examined, section, set, shop};

#[tokio::test]
async fn all_that_is_missing_is_named_with_what_to_do_about_it() {
    let count = COUNT.replace("ADVICE", "recommended");
    let house = House::of(&shop(&count, "connections: {}\n")).await;
    let body = examined(&house, "?offline=true").await;
    assert_eq!(body["is_well"], false);
    assert_eq!(body["title"], "Shop");
    assert_eq!(
        section(&body, "connections"),
        [
            "error: there is no connection `courier` (needed by `shop/deliver-a-parcel`) -> add \
             `courier` to connections.yaml, with `connector: courier`"
        ]
    );
    assert_eq!(
        section(&body, "settings"),
        [
            "error: SHOP_WINDOW / MODE has no value -> add a row to `integration-settings`: \
             Integration SHOP_WINDOW, Key MODE, Value one of `FAST`, `SLOW`"
        ]
    );
    let recipes = section(&body, "recipes");
    assert_eq!(
        recipes,
        [
            "error: \"Deliver a parcel\" is not started, and is required -> `recipes start \
             shop/deliver-a-parcel`",
            "note: \"Count parcels\" is not started; most want it to be -> `recipes start \
             shop/count-parcels`",
            "note: no recipe of the project is started",
        ]
    );
    let own = section(&body, "own_checks");
    assert_eq!(own, ["note: it has none"]);
    let tables = section(&body, "tables");
    assert_eq!(
        tables[1], "note: Parcels (`parcels`): one row",
        "{tables:?}"
    );
}

#[tokio::test]
async fn what_is_whole_is_well_and_says_what_it_does() {
    let count = COUNT.replace("ADVICE", "optional");
    let house = House::of(&shop(&count, CONNECTIONS)).await;
    set(&house, "MODE", "FAST").await;
    set(&house, "PIN", "0451").await;
    let (status, body) = house
        .post("/api/recipes/shop/deliver-a-parcel/start", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let body = examined(&house, "").await;
    assert_eq!(body["is_well"], true, "{body:#}");
    assert_eq!(section(&body, "connections"), ["note: complete: courier"]);
    assert_eq!(
        section(&body, "recipes"),
        ["note: one recipe of the project is started"]
    );
    assert_eq!(
        section(&body, "meaning"),
        [
            "note: Parcels leave at once. (MODE: FAST)",
            "note: Open for all: true (IS_OPEN is not set: true)",
            "note: Parcels are taken back for ever. (DAYS is not set)",
            "note: PIN: set (PIN: set)",
        ]
    );
    for (value, said) in [
        ("0", "note: Nothing is taken back. (DAYS: 0)"),
        (
            "14",
            "note: Parcels are taken back for 14 days, fast. (DAYS: 14)",
        ),
    ] {
        set(&house, "DAYS", value).await;
        let body = examined(&house, "").await;
        assert_eq!(section(&body, "meaning")[2], said);
    }
    assert!(!body.to_string().contains("0451"));
}

#[tokio::test]
async fn rows_of_settings_that_do_not_fit_are_told_apart() {
    let folder = Arc::new(workspace(&[]));
    let house = House::open(folder.clone()).await;
    let rows = "Integration,Key,Value\nSHOP_WINDOW,MODE,Fast\nSHOP_WINDOW,is_open,true\n\
                SHOP_WINDOW,DAYZ,7\nSHOP_WINDOW,DAYS,many\nshop_window,PIN,1\nELSEWHERE,X,1\n";
    let token = house.listening.local_token.reveal();
    let answer = house
        .request(Method::PUT, "/api/lookup-tables/integration-settings/rows")
        .bearer_auth(token)
        .header("content-type", "text/csv")
        .body(rows)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    let count = COUNT.replace("ADVICE", "optional");
    for (path, text) in shop(&count, CONNECTIONS) {
        write(folder.path(), path, text);
    }
    house.engine.take_up_files().await.unwrap();
    let found = section(&examined(&house, "").await, "settings");
    assert_eq!(
        found,
        [
            "error: SHOP_WINDOW / MODE: expected one of `FAST`, `SLOW`, letter for letter, not \
             `Fast` -> change the value in its row of `integration-settings`",
            "error: SHOP_WINDOW / DAYS: expected a whole number such as 42, not `many` -> change \
             the value in its row of `integration-settings`",
            "error: the row SHOP_WINDOW / is_open is read by nobody: there is no such setting -> \
             write its Key IS_OPEN, letter for letter",
            "error: the row SHOP_WINDOW / DAYZ is read by nobody: there is no such setting -> did \
             you mean DAYS?",
            "error: the row shop_window / PIN is read by nobody -> write its Integration \
             SHOP_WINDOW, letter for letter",
        ]
    );
}

#[tokio::test]
async fn files_that_broke_or_were_refused_are_told_of() {
    let count = COUNT.replace("ADVICE", "optional");
    let house = House::of(&shop(&count, CONNECTIONS)).await;
    let folder = house.folder.path();
    write(folder, "recipes/shop/count-parcels.yaml", "title: Count\n");
    house.engine.take_up_files().await.unwrap();
    let files = section(&examined(&house, "").await, "files");
    assert!(
        files[0].starts_with("error: recipes/shop/count-parcels.yaml:1:1: `trigger` is missing"),
        "{files:?}"
    );
    write(folder, "recipes/shop/count-parcels.yaml", &count);
    let narrower = PARCELS.replace("weight: { type: integer? }", "weight: { type: date? }");
    write(folder, "lookup-tables/parcels.yaml", &narrower);
    house.engine.take_up_files().await.unwrap_err();
    let files = section(&examined(&house, "").await, "files");
    let refused = files.iter().find(|line| line.contains("were refused"));
    assert!(
        refused.is_some_and(|line| line.contains("`weight`")),
        "{files:?}"
    );
    write(folder, "lookup-tables/parcels.yaml", PARCELS);
    house.engine.take_up_files().await.unwrap();
    let body = examined(&house, "").await;
    assert_eq!(
        section(&body, "files"),
        ["note: the 2 recipes and what they use have no errors"]
    );
}

#[tokio::test]
async fn rows_that_do_not_fit_their_table_are_named_without_what_is_personal() {
    let count = COUNT.replace("ADVICE", "optional");
    let house = House::of(&shop(&count, CONNECTIONS)).await;
    let owned = json!({ "rows": [{ "id": 1, "owner": "Zsofia Planted" }] });
    let path = "/api/lookup-tables/parcels/rows";
    let (status, body) = house.ask(Method::PUT, path, Some(owned)).await;
    assert!(status.is_success(), "{body}");
    // As a database is that another version of the table wrote.
    let of = |from: &str, to: &str| {
        let mut files = recipe_engine::library::bundled();
        for (path, text) in shop(&count, CONNECTIONS) {
            // Its first rows would not fit either, and so keep it from being used.
            let text = text.replace("rows: [{ id: 1, weight: 40 }]", "");
            let bytes = Ok(text.replace(from, to).into_bytes());
            let (is_bundled, is_here) = (false, true);
            files.insert(
                path.to_owned(),
                recipe_engine::library::Found {
                    bytes,
                    is_bundled,
                    is_here,
                },
            );
        }
        recipe_engine::library::Library::of(files)
    };
    let shelf = house.engine.shelf();
    shelf.replace(of("weight: { type: integer? }", "weight: { type: date? }"));
    let tables = section(&examined(&house, "").await, "tables");
    assert!(
        tables[0]
            .starts_with("error: table `parcels`: the row `id` = 1 does not fit: column `weight`"),
        "{tables:?}"
    );
    shelf.replace(of("owner: { type: string?", "owner: { type: date?"));
    let body = examined(&house, "").await;
    let tables = section(&body, "tables");
    assert!(
        tables[0].contains("column `owner` is not of its type"),
        "{tables:?}"
    );
    assert!(!body.to_string().contains("Planted"));
}

#[tokio::test]
async fn what_is_started_and_should_not_be_is_told_and_can_be_stopped() {
    let count = COUNT.replace("ADVICE", "optional");
    let house = House::of(&shop(&count, CONNECTIONS)).await;
    let start = "/api/recipes/shop/count-parcels/start";
    assert_eq!(house.post(start, json!({})).await.0, StatusCode::OK);
    let never = COUNT.replace("ADVICE", "manual_only");
    write(
        house.folder.path(),
        "recipes/shop/count-parcels.yaml",
        &never,
    );
    house.engine.take_up_files().await.unwrap();
    let recipes = section(&examined(&house, "").await, "recipes");
    assert!(
        recipes[0].starts_with("error: \"Count parcels\" is started, and must only be run by hand"),
        "{recipes:?}"
    );
    let (_, card) = house.get("/api/recipes/shop/count-parcels").await;
    assert_eq!(card["status"], "started");
    let stop = "/api/recipes/shop/count-parcels/stop";
    let (status, body) = house.post(stop, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let recipes = section(&examined(&house, "").await, "recipes");
    assert!(recipes.iter().all(|line| !line.contains("is started, and")));
    assert_eq!(house.post(stop, json!({})).await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn assumed_calls_are_named_with_who_makes_them_until_they_are_overridden() {
    let count = COUNT.replace("ADVICE", "optional");
    let house = House::of(&shop(&count, CONNECTIONS)).await;
    set(&house, "MODE", "FAST").await;
    let assumed = section(&examined(&house, "").await, "assumed_calls");
    assert_eq!(
        assumed,
        [
            "note: `courier.send` (Send a parcel), used by \"Deliver a parcel\"; no started recipe \
             makes this call"
        ]
    );
    let start = "/api/recipes/shop/deliver-a-parcel/start";
    assert_eq!(house.post(start, json!({})).await.0, StatusCode::OK);
    let assumed = section(&examined(&house, "").await, "assumed_calls");
    assert!(
        assumed[0].starts_with("warning: `courier.send`"),
        "{assumed:?}"
    );
    assert!(assumed[0].contains("started recipes make this call"));
    let known = COURIER.replace("assumed", "observed");
    write(house.folder.path(), "connectors/courier.yaml", &known);
    house.engine.take_up_files().await.unwrap();
    let assumed = section(&examined(&house, "").await, "assumed_calls");
    assert_eq!(assumed, ["note: no call that is made is assumed"]);
}
