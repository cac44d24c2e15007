//! What an administrator is told when something is not as it should be: on the command line, and of
//! recipes.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::house::{House, workspace, write};
use super::process::{ended, said};

const SETTINGS: &str = "Integration,Key,Value
ACCREDIBLE,COURSE_ADITIONAL_FIELD,x
ACCREDIBLE,ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE,monday
ACREDIBLE,NOTIFICATION_MAIL_ID,learning@example.com
";

#[test]
fn an_import_of_settings_names_every_wrong_line_once() {
    let folder = workspace(&[("settings.csv", SETTINGS)]);
    let file = folder.path().join("settings.csv");
    let import = [
        "tables",
        "integration-settings",
        "--import",
        file.to_str().unwrap(),
    ];
    let output = ended(folder.path(), &import);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for wanted in [
        "line 2: integration `ACCREDIBLE` has no key `COURSE_ADITIONAL_FIELD`",
        "line 3: ",
        "line 4: no project declares integration `ACREDIBLE`",
    ] {
        assert_eq!(told.matches(wanted).count(), 1, "{wanted}\n{told}");
    }
}

const ALONE: &str = "
title: Alone
trigger: { function: { input: {}, output: {} } }
on_failure: { call: react, with: { step: \"status {{error.status}}\" } }
steps:
  - action: http.get
    with: { path: /x }
    retry: { tries: 1 }
";
const REACT: &str = "
title: React
trigger: { function: { input: { step: string }, output: {} } }
steps: [{ log: hello }]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_down_is_named_and_so_is_a_reaction_that_fails() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let connections = format!(
        "connections:\n  http: {{ base_url: \"http://{address}\", allow_private: true }}\n"
    );
    let house = House::of(&[
        ("recipes/stories/alone.yaml", ALONE),
        ("recipes/stories/react.yaml", REACT),
        ("connections.yaml", &connections),
    ])
    .await;
    let id = &house.run("alone", json!({})).await;
    let job = house.ended(id).await;
    let message = job["failure"]["message"].as_str().unwrap();
    let wanted = format!("connection `http`: nothing answers at {address}");
    assert!(message.contains(&wanted), "{message}");
    let list = said(&ended(house.folder.path(), &["jobs"]));
    assert!(
        list.contains("what `on_failure` calls failed, too"),
        "{list}"
    );
    house.engine.shutdown().await;
}

const SIGNED: &str = "
title: Signed
trigger: { webhook: { auth: { hmac: sender } } }
steps: [{ log: hello }]
";
const SENDER: &str = "
connections:
  sender: { connector: webhook_hmac, secret: { file: secret }, prefix: sha256= }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_shows_what_its_sender_needs_and_whom_it_refused() {
    let house = House::of(&[
        ("recipes/stories/signed.yaml", SIGNED),
        ("connections.yaml", SENDER),
    ])
    .await;
    let folder = house.folder.path();
    let shown = said(&ended(folder, &["show", "signed"]));
    for wanted in ["header `X-Signature`", "encoding `hex`", "prefix `sha256=`"] {
        assert!(shown.contains(wanted), "{shown}");
    }
    assert!(!shown.contains("refused"), "{shown}");
    for signature in [None, Some("sha256=00"), Some("sha256=11")] {
        let request = house.request(Method::POST, "/webhooks/stories/signed");
        let request = match signature {
            Some(signature) => request.header("X-Signature", signature),
            None => request,
        };
        let answer = request.body("{}").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    let shown = said(&ended(folder, &["show", "signed"]));
    let line = shown.lines().find(|line| line.starts_with("refused:"));
    let line = line.unwrap_or_else(|| panic!("{shown}"));
    assert!(line.contains("3 since the server started"), "{line}");
    assert!(
        line.contains("the signature does not belong to this body"),
        "{line}"
    );
    house.engine.shutdown().await;
}

const LATER: &str = "
title: Later
trigger: { webhook: { auth: none } }
steps: [{ log: done }]
";
const POLL: &str = "
title: Poll
trigger: { poll: { action: list.all, every: 5m } }
steps: [{ log: done }]
";
const LIST: &str = "
title: List
connection: { base_url: string }
base_url: \"{{connection.base_url}}\"
actions:
  all:
    title: All
    effect: read
    input: {}
    request: { get: /all }
    pages: { by: page_number, send: query.page, next: \"$.reply.body.next?\" }
    items: $.reply.body.all
    output: { id: string }
";

#[test]
fn what_people_did_is_in_the_audit() {
    let folder = workspace(&[("recipes/stories/later.yaml", LATER)]);
    said(&ended(folder.path(), &["start", "later"]));
    let audit = said(&ended(folder.path(), &["audit"]));
    assert!(audit.starts_with("at\tby\t"), "{audit}");
    let line = audit.lines().nth(1).unwrap();
    assert!(
        line.contains("\tstarted\trecipe:stories/later\t"),
        "{audit}"
    );
    let of_another = said(&ended(folder.path(), &["audit", "recipe:stories/other"]));
    assert_eq!(
        of_another.lines().count(),
        1,
        "only what its columns are: {of_another}"
    );
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let folder = workspace(&[
        ("recipes/stories/react.yaml", REACT),
        ("recipes/stories/poll.yaml", POLL),
        ("connectors/list.yaml", LIST),
        (
            "connections.yaml",
            "connections: { list: { base_url: \"http://127.0.0.1:9\" } }\n",
        ),
    ]);
    let folder = folder.path();
    for (arguments, wanted) in [
        (
            &["jobs", "--status", "canceled"][..],
            "did you mean `stopped`?",
        ),
        (&["jobs", "--status", "faild"], "did you mean `failed`?"),
        (&["prune", "--older-than", "30"], "--older-than: "),
        (&["prune", "--to-size", "much"], "--to-size: "),
        (
            &["stop", "react"],
            "is never started, so there is nothing to stop",
        ),
        (&["run", "poll", "--preview"], "--event FILE"),
        (
            &["start", "nothing-of-the-kind"],
            "`recipes list` shows all",
        ),
        (
            &["list", "--project", "nobody"],
            "there is no project `nobody`",
        ),
    ] {
        let output = ended(folder, arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    write(
        folder,
        "recipes/other/project.yaml",
        "title: Other\nversion: 1.0.0\n",
    );
    write(folder, "recipes/other/react.yaml", REACT);
    let list = said(&ended(folder, &["list", "--project", "other"]));
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.starts_with("name\tstatus\ttrigger\t"), "{list}");
}
