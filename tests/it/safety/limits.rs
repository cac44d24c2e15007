//! Input that means harm is refused in words, and the house goes on.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::house::House;
use crate::golden::root;

const ASK: &str = r#"
title: Ask
trigger: { function: { input: { path: string }, output: {} } }
steps:
  - id: asked
    action: http.get
    with: { path: $.input.path }
    retry: { tries: 1 }
"#;

const GROW: &str = r#"
title: Grow
trigger: { function: { input: {}, output: { grown: any } } }
steps:
  - set: { grown: START, n: 1 }
  - repeat:
      - set: { grown: MORE }
    until: { $.vars.n: { equals: 2 } }
    max: 300
  - return: { grown: $.vars.grown }
"#;

const HOOK: &str = r#"
title: Hook
trigger: { webhook: { auth: none } }
steps:
  - log: delivered
"#;

/// JSON that is nested so many levels deep.
fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// What the vendor answers: head lines and body.
fn hostile(path: &str) -> (String, Vec<u8>) {
    let json = "content-type: application/json\r\n";
    match path {
        "/bomb" => {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            let zeros = vec![b' '; 1 << 20];
            for _ in 0..64 {
                packed.write_all(&zeros).unwrap();
            }
            (
                format!("{json}content-encoding: gzip\r\n"),
                packed.finish().unwrap(),
            )
        }
        "/head" => (
            format!("{json}x-long: {}\r\n", "h".repeat(2 << 20)),
            b"{}".to_vec(),
        ),
        "/heads" => {
            let many: String = (0..5_000).map(|n| format!("x-{n}: 1\r\n")).collect();
            (format!("{json}{many}"), b"{}".to_vec())
        }
        "/deep" => (json.to_owned(), nested(110).into_bytes()),
        "/deeper" => (json.to_owned(), nested(100_000).into_bytes()),
        _ => (json.to_owned(), br#"{"fine":true}"#.to_vec()),
    }
}

async fn vendor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 8192];
                let count = stream.read(&mut bytes).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default();
                let (head, body) = hostile(path);
                let head = format!(
                    "HTTP/1.1 200 OK\r\n{head}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
            });
        }
    });
    url
}

async fn house() -> House {
    let url = vendor().await;
    let connections =
        format!("connections: {{ http: {{ base_url: \"{url}\", allow_private: true }} }}\n");
    let grow = |start: &str, more: &str| GROW.replace("START", start).replace("MORE", more);
    House::open(&[
        ("connections.yaml", connections),
        ("recipes/planted/ask.yaml", ASK.into()),
        ("recipes/planted/hook.yaml", HOOK.into()),
        (
            "recipes/planted/lists.yaml",
            grow(
                &format!("[{}]", "x".repeat(50_000)),
                "[$.vars.grown, $.vars.grown]",
            ),
        ),
        (
            "recipes/planted/depths.yaml",
            grow("1", "{ a: $.vars.grown }"),
        ),
        (
            "recipes/planted/texts.yaml",
            grow("long", "\"{{vars.grown}}{{vars.grown}}\""),
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grows_without_end_or_has_no_bottom_is_refused_in_words() {
    let mut house = house().await;
    let replies = [
        ("/bomb", "reply_too_large"),
        ("/head", "connection_lost"),
        ("/heads", "connection_lost"),
        ("/deep", "unexpected_reply"),
        ("/deeper", "unexpected_reply"),
    ];
    for (path, code) in replies {
        let job = house.run("ask", json!({ "path": path })).await;
        let job = house.settled(&job).await;
        assert_eq!(job["failure"]["code"], code, "{path}: {}", job["failure"]);
    }
    let growing = [
        ("lists", "MiB"),
        ("depths", "levels deep"),
        ("texts", "would be longer"),
    ];
    for (recipe, why) in growing {
        let job = house.run(recipe, json!({})).await;
        let job = house.settled(&job).await;
        let message = job["failure"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(why), "{recipe}: {}", job["failure"]);
    }
    // As deep as a delivery may be: its job is written, read again by a new process, and runs.
    let hook = "/webhooks/planted/hook";
    let body: Value = serde_json::from_str(&nested(99)).unwrap();
    let delivered = house.deliver(hook, "", &body).await;
    let deep = delivered["accepted"][0].as_str().unwrap().to_owned();
    for levels in [100, 120] {
        let body: Value = serde_json::from_str(&nested(levels)).unwrap();
        let refused = house.deliver(hook, "", &body).await;
        assert_eq!(refused["status"], 400, "{refused}");
    }
    let body: Value = serde_json::from_str(&nested(120)).unwrap();
    let wish = json!({ "input": { "path": body } });
    let path = "/api/recipes/planted/ask/run";
    let refused = house.ask(Method::POST, path, Some(wish)).await;
    assert_eq!(refused["status"], 400, "{refused}");
    house.restart();
    let start = "/api/recipes/planted/hook/start";
    house.ask(Method::POST, start, Some(json!({}))).await;
    assert_eq!(house.ended(&deep).await["status"], "succeeded");
    let job = house.run("ask", json!({ "path": "/fine" })).await;
    assert_eq!(house.settled(&job).await["status"], "succeeded");
}

#[test]
fn expressions_without_a_bottom_are_findings() {
    let nested = |count| ("(add 1 ".repeat(count), ")".repeat(count));
    let ((short, end), (long, long_end)) = (nested(3_000), nested(20_000));
    let brackets = |count| ("(".repeat(count), ")".repeat(count));
    let ((open, close), (groups, groups_end)) = (brackets(400), brackets(3_000));
    let cases = [
        (format!("{{{{add 1 {short}1{end}}}}}"), "nest too deeply"),
        (format!("{{{{add 1 {long}1{long_end}}}}}"), "at most 64 kB"),
        ("{".repeat(50_000), "error[R"),
        (
            format!("{{{{#if {}", "{{#if true}}".repeat(5_000)),
            "blocks are not",
        ),
        (format!("$.input.x[?{open}1{close}]"), "nest too deeply"),
        (
            format!("$.input.x{}", "[?@.a".repeat(400)),
            "nest too deeply",
        ),
        (format!("$.input.x{}", ".a".repeat(60_000)), "error[R"),
        (
            format!("{{{{matches input.x '{groups}a{groups_end}'}}}}"),
            "error[R",
        ),
        (
            "{{matches input.x '((a{1000}){1000}){1000}'}}".to_owned(),
            "error[R",
        ),
    ];
    for (index, (value, says)) in cases.iter().enumerate() {
        let text = serde_json::to_string(value).unwrap();
        let when = check(&format!("  - log: {text}\n"));
        assert!(when.contains("error[R"), "{index}: {when:.2000}");
        assert!(when.contains(says), "{index}: {when:.2000}");
    }
    let condition = (0..60).fold("{ $.input.x: { is: present } }".to_owned(), |inner, _| {
        format!("{{ not: {inner} }}")
    });
    let found = check(&format!("  - log: x\n    when: {condition}\n"));
    assert!(found.contains("error[R"), "{found}");
}

/// What `recipes check` says of a recipe with these steps.
fn check(steps: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let recipes = folder.path().join("recipes/own");
    std::fs::create_dir_all(&recipes).unwrap();
    std::fs::write(recipes.join("project.yaml"), "title: Own\nversion: 1.0.0\n").unwrap();
    let recipe = format!(
        "title: T\ntrigger: {{ function: {{ input: {{ x: any }}, output: {{}} }} }}\nsteps:\n{steps}"
    );
    std::fs::write(recipes.join("t.yaml"), recipe).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_recipes"))
        .args(["check", "--workspace"])
        .arg(folder.path())
        .output()
        .unwrap();
    // A process that was ended by a signal has no exit code.
    assert!(
        output.status.code().is_some(),
        "the program died: {steps:.200}"
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The limits that the reference names, each with what the sources say.
#[test]
fn the_table_of_limits_is_true() {
    let page = std::fs::read_to_string(root().join("schemas/security.md")).unwrap();
    let mut seen = 0;
    for line in page.lines().filter(|line| line.contains("` in `engine/")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (told, place) = (cells[2], cells[4]);
        let (name, file) = place.split_once("` in `").unwrap();
        let (name, file) = (name.trim_matches('`'), file.trim_matches('`'));
        let source = std::fs::read_to_string(root().join(file)).unwrap();
        let start = format!("const {name}: ");
        let written = source
            .split_once(&start)
            .and_then(|(_, rest)| rest.split_once(" = "))
            .and_then(|(_, rest)| rest.split_once(';'))
            .unwrap_or_else(|| panic!("{file} has no {name}"));
        assert_eq!(figure(told), figure_of_source(written.0), "{line}");
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
}

/// `16 MiB`, `1,000` or `30 s` as a number.
fn figure(told: &str) -> u64 {
    let (number, unit) = told.split_once(' ').unwrap_or((told, ""));
    let number: u64 = number.replace(',', "").parse().unwrap();
    number
        * match unit {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            _ => 1,
        }
}

/// `16 << 20`, `64 * 1024`, `1_000` or `Duration::from_secs(30)` as a number.
fn figure_of_source(written: &str) -> u64 {
    let written = written.replace('_', "");
    let written = written
        .trim_start_matches("Duration::fromsecs(")
        .trim_end_matches(')');
    let number = |text: &str| text.trim().parse::<u64>().unwrap();
    if let Some((number_text, shift)) = written.split_once("<<") {
        return number(number_text) << number(shift);
    }
    written.split('*').map(number).product()
}
