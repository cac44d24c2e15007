//! A connector of the workspace over the bundled one, as the commands tell of it.

use super::house::workspace;
use super::process::{ended, said};

const CHANGED: &str = "
budget: [{ calls: 100, per: 1h }]
actions:
  session:
    title: Show who is signed in
    effect: read
    request: { get: /me }
    output: { id: integer?, username: string?, level: string?, timezone: string? }
  ping:
    title: Ping
    effect: read
    request: { get: /ping }
    output: {}
";

const CONNECTIONS: &str = "
connections:
  docebo:
    base_url: https://academy.example
    client_id: recipes
    client_secret: { env: DOCEBO_SECRET }
";

#[test]
fn check_and_connections_say_what_stands_in_place_of_what_is_bundled() {
    let folder = workspace(&[
        ("connectors/docebo.yaml", CHANGED),
        ("connections.yaml", CONNECTIONS),
    ]);
    let line = "connectors/docebo.yaml stands in place of bundled actions: session; further actions: \
                ping; in place of the bundled budget\n";
    let checked = said(&ended(folder.path(), &["check"]));
    assert!(checked.contains(line), "{checked}");
    assert!(checked.contains("no errors"), "{checked}");
    let one = said(&ended(folder.path(), &["check", "recipes/accredible"]));
    assert!(!one.contains("stands in place"), "{one}");
    let listed = ended(folder.path(), &["connections"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(line), "{listed}");
}

#[test]
fn a_connector_with_a_title_is_another_one_as_a_whole() {
    let whole = format!("title: Mine\nbase_url: https://mine.example\n{CHANGED}");
    let folder = workspace(&[("connectors/docebo.yaml", &whole)]);
    let output = ended(folder.path(), &["check"]);
    let checked = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = "connectors/docebo.yaml stands in place of the bundled connector\n";
    assert!(checked.contains(line), "{checked}");
    // The recipes miss the actions that are gone with it, and say where.
    assert_eq!(output.status.code(), Some(1), "{checked}");
    assert!(checked.contains("get_user"), "{checked}");
}
