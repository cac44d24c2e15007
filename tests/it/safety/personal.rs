//! Personal values in no answer, log or command, but where somebody asks for them on the record.

use recipe_engine::store::Store;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::{House, gossip, look_for};

const MAIL: &str = "zsofia.planted@example.com";
const NAME: &str = "Zsófia O'Planted";
const USERNAME: &str = "zsofia_planted_01";
const CITY: &str = "Plantedfalva";
const PHONE: &str = "+36 30 555 0199";

/// Stands in the address of a delivery and nowhere else.
const ASKER: &str = "Quillon Plantedquery";

const PLANTED: [&str; 6] = [MAIL, NAME, USERNAME, CITY, PHONE, ASKER];

const CONNECTOR: &str = r#"
title: People
connection: { base_url: string }
base_url: "{{connection.base_url}}"
retry: { tries: 1 }
actions:
  find:
    title: Find
    effect: repeatable
    input: { mail: { type: string, personal: true }, name: { type: string, personal: true } }
    request: { post: /find, body: $.input }
    output: { id: integer, who: { type: "string?", from: $.reply.body.said.name, personal: true } }
  refuse:
    title: Refuse
    effect: repeatable
    input: { name: { type: string, personal: true } }
    request: { post: "/refuse", query: { who: $.input.name }, body: $.input }
    output: {}
  break:
    title: Break
    effect: once
    input: { name: { type: string, personal: true } }
    request: { post: /break, body: $.input }
    output: { who: { type: string, personal: true } }
"#;

const TABLE: &str = r#"
title: Residents
columns:
  id: { type: integer, required: true }
  mail: { type: string, personal: true }
  full_name: { type: string, personal: true }
key: [id]
"#;

const HOOK: &str = r#"
title: Hook
trigger: { webhook: { auth: none } }
steps:
  - when: { $.trigger.body.event: { equals: person.moved } }
    log: "moved: {{trigger.body.person.name}} to {{trigger.body.person.city}}, {{trigger.body.person.phone}}"
    data: $.trigger.body
  - log: "asked by {{trigger.query.asked_by}}"
    data: $.trigger.query
  - id: found
    action: people.find
    with: { mail: $.trigger.body.person.mail, name: $.trigger.body.person.name }
  - log: "raw {{to_json steps.found.raw}}"
  - table: residents
    upsert: { id: 1, mail: $.trigger.body.person.mail, full_name: $.trigger.body.person.name }
  - id: row
    table: residents
    get: { id: 1 }
  - action: people.refuse
    with: { name: $.steps.row.row.full_name }
    on_error: continue
  - stop: { status: failure, reason: "{{trigger.body.person.username}} of {{trigger.body.person.city}} cannot move" }
"#;

const INVITE: &str = r#"
title: Invite
trigger:
  function:
    input: { name: { type: string, personal: true }, mail: { type: string, personal: true } }
    output: { greeting: string }
steps:
  - set: { greeting: "Dear {{input.name}} ({{input.mail}})" }
  - return: { greeting: $.vars.greeting }
"#;

const FAIL: &str = r#"
title: Fail
trigger: { function: { input: { name: { type: string, personal: true } }, output: {} } }
steps:
  - action: people.ACTION
    with: { name: $.input.name }
"#;

async fn house() -> House {
    let url = gossip(json!({})).await;
    let connections =
        format!("connections: {{ people: {{ base_url: \"{url}\", allow_private: true }} }}\n");
    House::open(&[
        ("connections.yaml", connections),
        ("connectors/people.yaml", CONNECTOR.into()),
        ("lookup-tables/residents.yaml", TABLE.into()),
        ("recipes/planted/hook.yaml", HOOK.into()),
        ("recipes/planted/invite.yaml", INVITE.into()),
        (
            "recipes/planted/refuse.yaml",
            FAIL.replace("ACTION", "refuse"),
        ),
        (
            "recipes/planted/doubt.yaml",
            FAIL.replace("ACTION", "break"),
        ),
    ])
}

const ROWS: &str = "/api/lookup-tables/residents/rows";

fn event() -> Value {
    json!({
        "event": "person.moved",
        "person": { "name": NAME, "mail": MAIL, "username": USERNAME, "city": CITY, "phone": PHONE }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_personal_value_is_told() {
    let mut house = house().await;
    let hook = "/webhooks/planted/hook";
    // The first waits until its recipe is started.
    let address = format!("{hook}?asked_by=Quillon+Plantedquery&from=portal");
    let delivered = house.deliver(&address, "", &event()).await;
    let queued = delivered["accepted"][0].as_str().unwrap().to_owned();
    let job = house
        .ask(Method::GET, &format!("/api/jobs/{queued}"), None)
        .await;
    assert_eq!(job["status"], "queued", "{job}");
    assert_eq!(job["trigger"]["body"]["event"], "person.moved", "{job}");
    assert_eq!(job["trigger"]["query"]["asked_by"], "***", "{job}");
    house
        .ask(
            Method::POST,
            "/api/recipes/planted/hook/start",
            Some(json!({})),
        )
        .await;
    let job = house.settled(&queued).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert_eq!(job["failure"]["message"], "*** of *** cannot move", "{job}");
    let row = house.ask(Method::GET, ROWS, None).await;
    assert_eq!(row["rows"][0]["full_name"], "***", "{row}");

    let given = json!({ "name": NAME });
    let mut jobs = vec![queued];
    for recipe in ["refuse", "doubt"] {
        jobs.push(house.run(recipe, given.clone()).await);
    }
    jobs.push(
        house
            .run("invite", json!({ "name": NAME, "mail": MAIL }))
            .await,
    );
    // Who runs a recipe and waits for its result gets it as it is, failures masked all the same.
    let wish = json!({ "input": { "name": NAME, "mail": MAIL } });
    let path = "/api/recipes/planted/invite/run?wait=60s";
    let told = house.ask_privately(Method::POST, path, Some(wish)).await;
    assert_eq!(told["output"]["greeting"], format!("Dear {NAME} ({MAIL})"));
    let path = "/api/recipes/planted/refuse/run?wait=60s";
    house
        .ask(Method::POST, path, Some(json!({ "input": given })))
        .await;

    house.restart();
    let wish = json!({ "choice": "happened", "output": { "who": NAME } });
    house
        .ask(
            Method::POST,
            &format!("/api/jobs/{}/decide", jobs[2]),
            Some(wish),
        )
        .await;
    for job in &jobs {
        house.ended(job).await;
        house.say(&["jobs", job, "-v"]);
        house.say(&["jobs", job, "--json"]);
    }
    for path in ["/api/jobs", "/api/jobs?status=failed", "/metrics", ROWS] {
        house.ask(Method::GET, path, None).await;
    }
    ask_for_events(&house).await;
    for arguments in [
        &["jobs"][..],
        &["tables", "residents"],
        &["tables", "residents", "--json", "--where", "id=1"],
        &["tables", "residents", "--export", "-"],
    ] {
        house.say(arguments);
    }
    house.stop();
    look_for(&PLANTED, &house.said());
}

/// Asks for the stored events, all and one.
async fn ask_for_events(house: &House) {
    let path = "/api/events?recipe=planted/hook";
    house.ask(Method::GET, path, None).await;
    let listed = house.ask(Method::GET, "/api/events", None).await;
    let id = listed["events"][0]["id"].as_str();
    let id = id.unwrap_or_else(|| panic!("{listed}"));
    let path = format!("/api/events/{id}");
    let event = house.ask(Method::GET, &path, None).await;
    assert_eq!(event["body"]["person"]["name"], "***", "{event}");
    assert_eq!(event["query"]["asked_by"], "***", "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reveals_personal_values_on_the_record() {
    let mut house = house().await;
    let row = json!({ "rows": [{ "id": 1, "mail": MAIL, "full_name": NAME }] });
    house.ask_privately(Method::PUT, ROWS, Some(row)).await;
    let job = house
        .run("invite", json!({ "name": NAME, "mail": MAIL }))
        .await;
    let path = format!("/api/jobs/{job}?reveal=personal");
    let told = house.ask_privately(Method::GET, &path, None).await;
    assert_eq!(told["input"]["name"], NAME);
    let told = house
        .ask_privately(Method::GET, &format!("{ROWS}?reveal=personal"), None)
        .await;
    assert_eq!(told["rows"][0]["mail"], MAIL);
    let wrong = house
        .ask(Method::GET, &format!("{ROWS}?reveal=secrets"), None)
        .await;
    assert_eq!(wrong["status"], 400, "{wrong}");
    // What was exported without them is not taken for the real thing.
    let file = house.folder.path().join("out.csv");
    let file = file.to_str().unwrap();
    house.say(&["tables", "residents", "--export", file]);
    let refused = house.say(&["tables", "residents", "--import", file]);
    assert!(refused.contains("was not shown"), "{refused}");
    house.say(&["tables", "residents", "--export", file, "--reveal"]);
    let taken = house.say(&["tables", "residents", "--import", file]);
    assert!(taken.contains("1 unchanged"), "{taken}");
    house.stop();
    let file = house.folder.path().join("data/recipes.db");
    let store = Store::open(&file).await.unwrap();
    let noted = store.audit(None, 1_000).await.unwrap();
    let noted: Vec<_> = noted
        .iter()
        .rev()
        .filter(|entry| entry.action == "personal_revealed")
        .map(|entry| (entry.by.as_str(), entry.subject.as_str()))
        .collect();
    let (job, table) = (format!("job:{job}"), "table:residents");
    let wanted = [("admin", job.as_str()), ("admin", table), ("cli", table)];
    assert_eq!(noted, wanted);
    store.close().await;
}

const LISTED: &str = r#"
  list:
    title: List
    effect: read
    input: { people: "[any]", since: any? }
    request: { post: /list, body: $.input }
    pages: { by: next_url, next: $.reply.body.next? }
    items: $.reply.body.said.people
    output: { name: { type: string, personal: true }, at: { type: any, personal: true } }
"#;

/// A poll of people, by what `from` says.
fn polled(from: &str) -> String {
    format!(
        r#"
title: Polled
trigger:
  poll:
    action: people.list
    with: {{ people: [{{ name: "{NAME}", at: "{CITY}" }}] }}
    every: 10m
    cursor: {{ from: "{from}", send: since }}
    dedupe: {{ key: "{{{{to_date trigger.item.name}}}}", window: 1d }}
steps: [{{ log: "somebody" }}]
"#
    )
}

const KEYED: &str = r#"
title: Keyed
trigger:
  webhook: { auth: none, dedupe: { key: "{{to_date trigger.body.person.name}}", window: 1d } }
steps: [{ log: "somebody" }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_polls_and_keys_stumble_over_is_not_told() {
    let url = gossip(json!({})).await;
    let connections =
        format!("connections: {{ people: {{ base_url: \"{url}\", allow_private: true }} }}\n");
    let mut house = House::open(&[
        ("connections.yaml", connections),
        ("connectors/people.yaml", format!("{CONNECTOR}{LISTED}")),
        ("recipes/planted/keyed.yaml", KEYED.into()),
        (
            "recipes/planted/stumbling.yaml",
            polled("{{to_date trigger.item.name}}"),
        ),
        ("recipes/planted/going.yaml", polled("{{trigger.item.at}}")),
    ]);
    for (recipe, told) in [("stumbling", "last"), ("going", "cursor")] {
        let path = format!("/api/recipes/planted/{recipe}");
        house
            .ask(Method::POST, &format!("{path}/start"), Some(json!({})))
            .await;
        let mut shown = Value::Null;
        for _ in 0..2_000 {
            let mut answer = house.ask_privately(Method::GET, &path, None).await;
            // What a recipe's author wrote into it stands there for all who may read it.
            answer["source"].take();
            house.hear(&path, answer.to_string().as_bytes());
            shown = answer["poll"].take();
            if !shown[told].is_null() {
                break;
            }
        }
        match told {
            "cursor" => assert_eq!(shown["cursor"], "***", "{shown}"),
            _ => assert_eq!(shown["last"]["failure"]["code"], "no_value", "{shown}"),
        }
        let why = &shown["last"]["failure"]["message"];
        assert!(
            told == "cursor" || why.as_str().unwrap().contains("is no date"),
            "{shown}"
        );
    }
    house.deliver("/webhooks/planted/keyed", "", &event()).await;
    house.stop();
    look_for(&[NAME, CITY], &house.said());
    let log = std::fs::read_to_string(house.folder.path().join("log")).unwrap();
    for line in ["the poll found nothing out", "an event has no dedupe key"] {
        assert!(log.contains(line), "{log}");
    }
}
