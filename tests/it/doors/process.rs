//! The real binary: starting, refusing to start, stopping in order.

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::house::{House, Vendor, workspace, write};

const HELLO: &str = "
title: Hello
trigger: { function: { input: { name: string }, output: { text: string } } }
steps: [{ return: { text: \"hello {{input.name}}\" } }]
";

/// The binary with a workspace and nothing of the test's own environment that it might read.
pub(super) fn recipes(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
    command.arg("--workspace").arg(folder).args(arguments);
    for name in [
        "RECIPES_ADDRESS",
        "RECIPES_WORKSPACE",
        "RUST_LOG",
        "RECIPES_HALT",
    ] {
        command.env_remove(name);
    }
    command
}

pub(super) fn ended(folder: &Path, arguments: &[&str]) -> Output {
    recipes(folder, arguments).output().unwrap()
}

/// What a command said, and that it ended with this exit code and one line of error.
pub(super) fn refused(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.starts_with("error: "), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said
}

pub(super) fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    said
}

/// Has a job worked off where no server runs, by a command that waits for one of its own.
pub(super) fn through(folder: &Path, id: &str, command: &[&str]) {
    loop {
        let _ = ended(folder, command);
        let job = said(&ended(folder, &["jobs", id, "--json"]));
        let job: Value = serde_json::from_str(&job).unwrap();
        if !job["ended_at"].is_null() {
            return;
        }
    }
}

/// A server in a process of its own, which listens; killed if the story leaves it behind.
pub(super) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    first: Vec<String>,
}

impl Server {
    fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// A server with these variables in its environment.
    pub(super) fn with(folder: &Path, environment: &[(&str, &str)]) -> Self {
        Self::logging(folder, environment, Stdio::null())
    }

    /// A server with these variables in its environment, whose log goes there.
    pub(super) fn logging(folder: &Path, environment: &[(&str, &str)], log: Stdio) -> Self {
        let mut command = recipes(folder, &["serve", "--address", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut first = Vec::new();
        for line in lines.by_ref() {
            first.push(line.unwrap());
            if first.iter().any(|line| line.starts_with("listening at")) {
                break;
            }
        }
        assert!(!first.is_empty(), "the server ended at once");
        Self {
            child,
            lines,
            first,
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let done = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for the process to end; answers its exit code and last words.
    fn end(&mut self) -> (Option<i32>, Vec<String>) {
        let last = self.lines.by_ref().map(Result::unwrap).collect();
        (self.child.wait().unwrap().code(), last)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_new_workspace_is_made_and_kept() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new");
    said(&ended(&folder, &["init"]));
    write(&folder, "connections.yaml", "connections: {}\n# mine\n");
    said(&ended(&folder, &["init"]));
    let kept = std::fs::read_to_string(folder.join("connections.yaml")).unwrap();
    assert!(kept.contains("# mine"));
    let ignored = std::fs::read_to_string(folder.join(".gitignore")).unwrap();
    for name in ["/data/", "/secrets/"] {
        assert!(ignored.lines().any(|line| line == name), "{ignored}");
    }
    said(&ended(&folder, &["check"]));
    let list = said(&ended(&folder, &["list"]));
    assert!(
        list.lines()
            .any(|line| line.contains("\tready\tfunction\t")),
        "{list}"
    );
}

#[test]
fn commands_work_without_a_server() {
    let folder = workspace(&[("recipes/stories/hello.yaml", HELLO)]);
    let run = [
        "run",
        "hello",
        "--input",
        "{\"name\": \"Ann\"}",
        "--wait",
        "--json",
    ];
    let job: Value = serde_json::from_str(&said(&ended(folder.path(), &run))).unwrap();
    assert_eq!(job["output"], json!({ "text": "hello Ann" }));
    let jobs = said(&ended(folder.path(), &["jobs"]));
    assert!(jobs.contains("\tsucceeded\tstories/hello\t"), "{jobs}");
    let shown = said(&ended(
        folder.path(),
        &["jobs", job["id"].as_str().unwrap(), "-v"],
    ));
    assert!(shown.contains("hello Ann"), "{shown}");
    let wrong = ended(folder.path(), &["run", "helo"]);
    let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(text.contains("did you mean `hello`"), "{text}");
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(ended(folder.path(), &["rum"]).status.code(), Some(2));
}

#[test]
fn what_keeps_a_server_from_starting_is_one_clear_line() {
    let missing = Path::new("/nowhere/at/all");
    let text = refused(&ended(missing, &["list"]), 3);
    assert!(
        text.contains("there is no folder") && text.contains("recipes init"),
        "{text}"
    );

    let folder = workspace(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = refused(&ended(folder.path(), &["serve", "--address", &address]), 3);
    assert!(text.contains("is in use"), "{text}");
    let text = refused(&ended(folder.path(), &["serve", "--address", "nowhere"]), 1);
    assert!(text.contains("is not an address"), "{text}");

    write(folder.path(), "settings.yaml", "adress: 127.0.0.1:1\n");
    let text = refused(&ended(folder.path(), &["serve"]), 1);
    assert!(text.contains("did you mean `address`"), "{text}");
    assert!(text.contains("settings.yaml`:1:1: "), "{text}");
    write(folder.path(), "settings.yaml", "log: text\naddress: [\n");
    let text = refused(&ended(folder.path(), &["serve"]), 1);
    assert!(text.contains("settings.yaml`:2:"), "{text}");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let folder = workspace(&[]);
    said(&ended(folder.path(), &["list"]));
    let path = folder.path().join("data/recipes.db");
    // A command that ends gives everything back in order: nothing is left beside the file.
    let log = folder.path().join("data/recipes.db-wal");
    assert_eq!(std::fs::metadata(&log).map_or(0, |log| log.len()), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    // The user version: four bytes at offset 60 of every SQLite file.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let text = refused(
        &ended(folder.path(), &["serve", "--address", "127.0.0.1:0"]),
        3,
    );
    assert!(text.contains("newer version"), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    std::fs::write(
        &path,
        "not a database at all, but long enough to look like a file",
    )
    .unwrap();
    refused(&ended(folder.path(), &["list"]), 3);
}

const GUARDED: &str = "
title: Guarded
trigger: { webhook: { auth: { basic: sender } } }
steps: [{ log: hello }]
";
const SENDER: &str = "
connections:
  sender: { connector: webhook_basic, username: x, password: { env: STORY_PASSWORD } }
";

#[test]
fn a_missing_variable_is_named_before_anything_is_lost() {
    let folder = workspace(&[
        ("recipes/stories/guarded.yaml", GUARDED),
        ("connections.yaml", SENDER),
    ]);
    let output = ended(folder.path(), &["start", "guarded"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("STORY_PASSWORD"), "{text}");
    let output = ended(folder.path(), &["connections"]);
    assert_eq!(output.status.code(), Some(1));
    let mut start = recipes(folder.path(), &["start", "guarded"]);
    said(&start.env("STORY_PASSWORD", "p").output().unwrap());
    let text = refused(
        &ended(folder.path(), &["serve", "--address", "127.0.0.1:0"]),
        3,
    );
    assert!(
        text.contains("STORY_PASSWORD") && text.contains("stories/guarded"),
        "{text}"
    );
    said(&ended(folder.path(), &["stop", "guarded"]));
}

#[test]
fn a_second_server_is_refused_and_commands_find_the_first() {
    let folder = workspace(&[("recipes/stories/hello.yaml", HELLO)]);
    let mut server = Server::start(folder.path());
    assert!(
        server.first[0].starts_with("admin token"),
        "{:?}",
        server.first
    );
    let text = refused(
        &ended(folder.path(), &["serve", "--address", "127.0.0.1:0"]),
        3,
    );
    assert!(text.contains("another server"), "{text}");
    let run = ["run", "hello", "--input", "{\"name\": \"Bo\"}", "--wait"];
    assert!(said(&ended(folder.path(), &run)).contains("hello Bo"));
    server.signal("-TERM");
    let (code, _) = server.end();
    assert_eq!(code, Some(0));
    assert!(!folder.path().join("data/server.json").exists());
    let mut server = Server::start(folder.path());
    assert_eq!(server.first.len(), 1, "the admin token is shown once");
    server.signal("-KILL");
    server.end();
    // What a killed server left behind misleads nobody.
    assert!(said(&ended(folder.path(), &["jobs"])).contains("stories/hello"));
}

#[test]
fn tokens_are_made_and_revoked_whether_a_server_runs_or_not() {
    let folder = workspace(&[]);
    let create = [
        "tokens",
        "create",
        "ada",
        "--role",
        "viewer",
        "--expires",
        "90d",
    ];
    let made = said(&ended(folder.path(), &create));
    assert!(made.contains("`ada` (viewer, until "), "{made}");
    let token = made.lines().last().unwrap();
    assert!(token.starts_with("rcp_"), "{made}");
    let listed = said(&ended(folder.path(), &["tokens", "list"]));
    assert!(
        listed.contains("ada") && !listed.contains("rcp_"),
        "{listed}"
    );
    let _server = Server::start(folder.path());
    let create = ["tokens", "create", "bob", "--role", "boss"];
    let text = refused(&ended(folder.path(), &create), 1);
    assert!(text.contains("viewer, operator, editor, admin"), "{text}");
    let listed = said(&ended(folder.path(), &["tokens", "list", "--json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["tokens"][0]["status"], "active", "{listed}");
    said(&ended(folder.path(), &["tokens", "revoke", "ada"]));
    let text = refused(&ended(folder.path(), &["tokens", "revoke", "ada"]), 1);
    assert!(text.contains("no token `ada` in use"), "{text}");
    let told = said(&ended(folder.path(), &["audit", "token:ada"]));
    assert!(
        told.contains("token_revoked") && told.contains("cli"),
        "{told}"
    );
}

#[test]
fn a_server_of_another_workspace_is_not_taken_for_the_own_one() {
    let theirs = workspace(&[]);
    let ours = workspace(&[("recipes/stories/hello.yaml", HELLO)]);
    let _server = Server::start(theirs.path());
    // Ours was killed and left word; theirs listens at the same address by now.
    let text = std::fs::read_to_string(theirs.path().join("data/server.json")).unwrap();
    let mut left: Value = serde_json::from_str(&text).unwrap();
    left["token"] = json!("rcp_of_a_server_that_is_gone");
    write(ours.path(), "data/server.json", &left.to_string());
    assert!(said(&ended(ours.path(), &["list"])).contains("stories/hello"));
    // The one that lives is found.
    let list = said(&ended(theirs.path(), &["list"]));
    assert!(!list.contains("stories/hello"), "{list}");
}

const ORDERS: &str = "
title: Orders
trigger: { function: { input: {}, output: { first: any, second: any } } }
steps:
  - id: first
    action: http.request
    with: { path: /first }
  - id: second
    action: http.request
    with: { path: /second }
  - return: { first: $.steps.first.body, second: $.steps.second.body }
";

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_records_the_call_under_way_and_the_next_server_goes_on() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let folder = workspace(&[
        ("recipes/stories/orders.yaml", ORDERS),
        ("connections.yaml", &connections),
    ]);
    let mut server = Server::start(folder.path());
    let job = said(&ended(folder.path(), &["run", "orders"]))
        .trim()
        .to_owned();
    let first = vendor.asked().await;
    assert!(first.text.starts_with("POST /first"), "{}", first.text);
    server.signal("-INT");
    let stopping = server.lines.next().unwrap().unwrap();
    assert!(stopping.starts_with("stopping"), "{stopping}");
    first.answer("1").await;
    let (code, last) = server.end();
    assert_eq!(code, Some(0), "{last:?}");

    let folder: Arc<TempDir> = Arc::new(folder);
    let house = House::open(folder).await;
    let second = vendor.asked().await;
    assert!(
        second.text.starts_with("POST /second"),
        "sent once: {}",
        second.text
    );
    second.answer("2").await;
    let job = house.ended(&job).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    assert_eq!(job["output"], json!({ "first": 1, "second": 2 }));
    house.engine.shutdown().await;
}
