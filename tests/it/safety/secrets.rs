//! Secrets in no database, log, answer or error.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::house::{ADMIN, House, gossip, look_for};

const CLIENT: &str = "planted/client+secret=8d21%";
const ACCESS: &str = "planted-access-token-0c77";
const REFRESH: &str = "planted-refresh-token-aa19";
const API_KEY: &str = "planted-API-key-93be";
const MAIL: &str = "planted-mail-password-4e4e";
const WEBHOOK: &str = "planted-webhook-token-66d0";
const COLUMN: &str = "planted \"column\" secret-1b1b";
const INPUT: &str = "planted-input-secret-2c2c";

const SEALED: &str = "planted-sealed-bearer/5d5d+";
const BASIC: &str = "planted-basic-password-9e9e";
const HMAC: &str = "planted-hmac-secret-3c3c";

const PLANTED: [&str; 12] = [
    CLIENT, ACCESS, REFRESH, API_KEY, MAIL, WEBHOOK, COLUMN, INPUT, ADMIN, SEALED, BASIC, HMAC,
];

const CONNECTOR: &str = r#"
title: Gossip
connection:
  base_url: string
  client_secret: { type: string, secret: true }
base_url: "{{connection.base_url}}"
sign_in:
  oauth2:
    grant: client_credentials
    token: /token
    client_id: recipes
    client_secret: "{{connection.client_secret}}"
retry: { tries: 1 }
actions:
  look: { title: Look, effect: read, request: { get: /look }, output: { id: integer, heard: string, encoded: string } }
  refuse: { title: Refuse, effect: read, request: { get: /refuse }, output: {} }
  redirect: { title: Redirect, effect: read, request: { get: /redirect }, output: {} }
  break: { title: Break, effect: once, request: { post: /break, body: $.input }, input: { token: string }, output: { id: integer, token: string } }
"#;

const VAULTS: &str = r#"
title: Vaults
columns:
  id: { type: string, required: true }
  token: { type: string, secret: true }
key: [id]
"#;

const KEEP: &str = r#"
title: Keep
trigger: { function: { input: { token: { type: string, secret: true } }, output: { token: string, more: any } } }
steps:
  - id: seen
    action: gossip.look
  - id: held
    table: vaults
    get: { id: main }
  - log: "tokens {{input.token}} and {{steps.held.row.token}}"
    data: { token: $.input.token }
  - id: sent
    action: http.repeatable_request
    with: { path: "/take", body: { token: $.input.token, other: $.steps.held.row.token } }
  - id: basic
    action: http.request
    with: { path: "/refuse?key={{steps.held.row.token}}", body: { token: $.input.token } }
    on_error: continue
  - return: { token: $.steps.held.row.token, more: $.steps.sent.body }
"#;

/// What a vendor repeats of a sealed secret goes everywhere: into steps, a row, a log, a result.
const ECHO: &str = r#"
title: Echo
trigger: { function: { output: { heard: any } } }
steps:
  - id: asked
    action: http.get
    connection: sealed
    with: { path: /look }
  - log: "{{steps.asked.body.heard}}"
  - table: vaults
    upsert: { id: echo, token: $.steps.asked.body.loud }
  - id: refused
    action: http.get
    connection: sealed
    with: { path: /refuse }
    on_error: continue
  - return: { heard: $.steps.asked.body }
"#;

/// A webhook that signs in with a secret of its own and tells what came with it.
const GATE: &str = r#"
title: Gate
trigger: { webhook: { auth: AUTH } }
steps:
  - log: "came with {{trigger.body.token}}"
"#;

const ONE: &str = r#"
title: One
trigger: { function: { input: { token: { type: string, secret: true } }, output: {} } }
steps:
  - action: gossip.ACTION
"#;

const DOUBT: &str = r#"
title: Doubt
trigger: { function: { input: { token: { type: string, secret: true } }, output: { token: string } } }
steps:
  - id: sent
    action: gossip.break
    with: { token: $.input.token }
  - return: { token: $.steps.sent.token }
"#;

const LETTER: &str = r#"
title: Letter
trigger: { function: { input: {}, output: {} } }
steps:
  - action: mail.send
    with: { to: a@example.com, subject: Hello, text: Hello }
    retry: { tries: 1 }
"#;

const HOOK: &str = r#"
title: Hook
trigger: { webhook: { auth: { token: hook } } }
steps:
  - log: "delivered {{trigger.body.token}} {{trigger.query.token}}"
  - stop: { status: failure, reason: "{{trigger.body.token}} is not wanted" }
"#;

/// A mail server that refuses every sign-in and says with what.
async fn post_office() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (from, mut to) = stream.split();
            let mut lines = BufReader::new(from).lines();
            to.write_all(b"220 here\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match line.get(..4) {
                    Some("EHLO") => "250-here\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
                    Some("AUTH") => format!("535 5.7.8 not with {line}\r\n"),
                    _ => "221 bye\r\n".to_owned(),
                };
                if to.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    port
}

async fn house() -> House {
    let tokens = json!({
        "access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 3600
    });
    let (url, port) = (gossip(tokens).await, post_office().await);
    let connections = format!(
        r#"
connections:
  gossip: {{ base_url: "{url}", client_secret: {{ file: client }}, allow_private: true }}
  http: {{ base_url: "{url}", sign_in: api_key, api_key: {{ file: key }}, allow_private: true }}
  mail: {{ host: 127.0.0.1, port: {port}, encryption: none, from: a@example.com,
    username: recipes, password: {{ file: mail }}, allow_private: true }}
  hook: {{ connector: webhook_token, token: {{ file: hook }} }}
  sealed: {{ connector: http, base_url: "{url}", sign_in: bearer, token: {{ secret: sealed.token }},
    allow_private: true }}
  basic: {{ connector: webhook_basic, username: sender, password: {{ secret: basic.password }} }}
  signed: {{ connector: webhook_hmac, secret: {{ secret: signed.secret }} }}
"#
    );
    let one = |action: &str| ONE.replace("ACTION", action);
    House::open(&[
        ("connections.yaml", connections),
        ("client", CLIENT.into()),
        ("key", API_KEY.into()),
        ("mail", MAIL.into()),
        ("hook", WEBHOOK.into()),
        ("connectors/gossip.yaml", CONNECTOR.into()),
        ("lookup-tables/vaults.yaml", VAULTS.into()),
        ("recipes/planted/keep.yaml", KEEP.into()),
        ("recipes/planted/refuse.yaml", one("refuse")),
        ("recipes/planted/redirect.yaml", one("redirect")),
        ("recipes/planted/doubt.yaml", DOUBT.into()),
        ("recipes/planted/letter.yaml", LETTER.into()),
        ("recipes/planted/hook.yaml", HOOK.into()),
        ("recipes/planted/echo.yaml", ECHO.into()),
        (
            "recipes/planted/by-password.yaml",
            GATE.replace("AUTH", "{ basic: basic }"),
        ),
        (
            "recipes/planted/by-signature.yaml",
            GATE.replace("AUTH", "{ hmac: signed }"),
        ),
    ])
}

const ROWS: &str = "/api/lookup-tables/vaults/rows";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written_or_told() {
    let mut house = house().await;
    let row = json!({ "rows": [{ "id": "main", "token": COLUMN }] });
    house.ask(Method::PUT, ROWS, Some(row)).await;
    let start = "/api/recipes/planted/hook/start";
    house.ask(Method::POST, start, Some(json!({}))).await;
    let hook = format!("/webhooks/planted/hook?token={WEBHOOK}");
    for token in [WEBHOOK, "wrong"] {
        let body = json!({ "token": WEBHOOK });
        house.deliver(&hook, token, &body).await;
    }

    let tokens = given_keys(&house).await;
    let given = json!({ "token": INPUT });
    let kept = house.run("keep", given.clone()).await;
    let mut jobs = vec![kept];
    for recipe in ["refuse", "redirect", "doubt"] {
        jobs.push(house.run(recipe, given.clone()).await);
    }
    jobs.push(house.run("echo", json!({})).await);
    // A token that somebody hands to a recipe.
    jobs.push(house.run("keep", json!({ "token": tokens[0] })).await);
    jobs.push(house.run("letter", json!({})).await);
    // A person who waits for a result is not told either.
    let path = "/api/recipes/planted/keep/run?wait=60s";
    let told = house
        .ask(Method::POST, path, Some(json!({ "input": given })))
        .await;
    assert_eq!(told["status"], "succeeded_with_errors", "{told}");
    assert_eq!(told["output"]["token"], "***", "{told}");
    let told = house
        .ask(
            Method::POST,
            path,
            Some(json!({ "input": { "token": [INPUT] } })),
        )
        .await;
    assert_eq!(told["status"], 422, "{told}");

    // A new process knows no secret but those it opens.
    house.restart();
    let doubt = &jobs[3];
    assert_eq!(house.settled(doubt).await["status"], "needs_decision");
    let decide = format!("/api/jobs/{doubt}/decide");
    let wish = json!({ "choice": "happened", "output": { "id": 1, "token": INPUT } });
    house.ask(Method::POST, &decide, Some(wish)).await;
    let ended = house.ended(doubt).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    for job in &jobs {
        house.settled(job).await;
        house
            .ask(
                Method::GET,
                &format!("/api/jobs/{job}?reveal=personal"),
                None,
            )
            .await;
        house.say(&["jobs", job, "-v"]);
        house.say(&["jobs", job, "--json", "--reveal"]);
    }
    // What a rerun begins with is sealed, and what a person gives it.
    let rerun = format!("/api/jobs/{}/rerun", jobs[0]);
    let held = json!({ "found": true, "row": { "id": "main", "token": COLUMN } });
    for wish in [
        json!({ "from": "basic" }),
        json!({ "from": "sent", "outputs": { "held": held }, "though_done_again": true }),
    ] {
        let again = house.ask(Method::POST, &rerun, Some(wish)).await;
        house.ended(again["job"].as_str().unwrap()).await;
    }
    ask_all_doors(&mut house).await;
    house.stop();
    let mut planted = PLANTED.to_vec();
    planted.extend(tokens.iter().map(String::as_str));
    look_for(&planted, &house.said());
    look_for(&planted, &house.stored());
}

/// Gives the sealed secrets, has deliveries signed with them, and makes tokens.
async fn given_keys(house: &House) -> Vec<String> {
    for (name, value) in [
        ("sealed.token", "planted-sealed-bearer-of-before"),
        ("sealed.token", SEALED),
        ("basic.password", BASIC),
        ("signed.secret", HMAC),
    ] {
        let body = json!({ "value": value });
        let path = format!("/api/secrets/{name}");
        house.ask(Method::PUT, &path, Some(body)).await;
    }
    house.ask(Method::POST, "/api/secrets/rekey", None).await;
    for recipe in ["by-password", "by-signature"] {
        let start = format!("/api/recipes/planted/{recipe}/start");
        house.ask(Method::POST, &start, Some(json!({}))).await;
    }
    house
        .deliver_signed("/webhooks/planted/by-password", BASIC)
        .await;
    house
        .deliver_signed("/webhooks/planted/by-signature", HMAC)
        .await;
    let mut tokens = Vec::new();
    for (name, role) in [("ada", "viewer"), ("bob", "admin")] {
        let wish = json!({ "name": name, "role": role });
        let made = house
            .ask_privately(Method::POST, "/api/tokens", Some(wish))
            .await;
        let token = made["token"].as_str().unwrap().to_owned();
        house.ask_as(&token, "/api/whoami").await;
        house.ask_as(&token, "/api/tokens").await;
        tokens.push(token);
    }
    house.ask(Method::DELETE, "/api/tokens/bob", None).await;
    house.ask_as(&tokens[1], "/api/whoami").await;
    tokens
}

/// Asks for everything that lists or exports, over HTTP and on the command line.
async fn ask_all_doors(house: &mut House) {
    for path in [
        "/api/jobs",
        "/api/recipes",
        "/api/recipes/planted/hook",
        "/api/events",
        "/api/events/1",
        "/metrics",
        "/api/tokens",
        "/api/secrets",
        "/api/audit",
        "/api/history",
        "/api/projects/planted/doctor",
        "/api/recipes/planted/by-signature",
        ROWS,
    ] {
        house.ask(Method::GET, path, None).await;
    }
    for arguments in [
        &["jobs"][..],
        &["connections"],
        &["connections", "check"],
        &["tables", "vaults", "--reveal"],
        &["tables", "vaults", "--export", "-", "--reveal"],
        &["show", "hook"],
        &["tokens", "list"],
        &["secrets", "list"],
        &["audit"],
        &["events"],
        &["doctor", "planted"],
        &["check"],
        &["run", "refuse", "--wait", "--input", "{}"],
    ] {
        house.say(arguments);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_is_still_worked_with() {
    let mut house = house().await;
    let row = json!({ "rows": [{ "id": "main", "token": COLUMN }] });
    house.ask(Method::PUT, ROWS, Some(row.clone())).await;
    house.restart();
    // It reaches the vendor as it is, and the same row is the same row.
    let job = house.run("keep", json!({ "token": INPUT })).await;
    assert_eq!(house.settled(&job).await["status"], "succeeded_with_errors");
    let again = house.ask(Method::PUT, ROWS, Some(row)).await;
    assert_eq!(again["unchanged"], 1, "{again}");
    let found = house
        .ask(Method::GET, &format!("{ROWS}?where.id=main"), None)
        .await;
    assert_eq!(found["rows"], json!([{ "id": "main", "token": "***" }]));
}
