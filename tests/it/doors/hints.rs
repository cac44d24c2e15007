//! What somebody who tries things by hand is told, so that the next step is known.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use recipe_engine::library::bundled;

use super::house::{workspace, write};
use super::process::{ended, recipes, refused, said};

const GREET: &str = "title: Greet\ntrigger: { manual: }\nsteps: [{ log: hi }]\n";

fn bundled_text(path: &str) -> String {
    let found = bundled().remove(path).unwrap();
    String::from_utf8(found.bytes.unwrap()).unwrap()
}

/// A sandbox that runs, and what it said until then.
fn sandbox(folder: &Path, arguments: &[&str]) -> (Child, Vec<String>) {
    let mut command = recipes(folder, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut sandbox = command.spawn().unwrap();
    let lines = BufReader::new(sandbox.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    for line in lines {
        told.push(line.unwrap());
        if told.last().unwrap().contains("stop with Ctrl-C") {
            break;
        }
    }
    (sandbox, told)
}

#[test]
fn the_sandbox_writes_connections_that_lead_to_it() {
    let folder = workspace(&[("connections.yaml", "# None yet.\nconnections: {}\n")]);
    let here = folder.path();
    let connect = ["sandbox", "--port", "0", "--connect"];
    let (mut running, _) = sandbox(here, &connect);
    for name in ["docebo", "accredible", "mail"] {
        let checked = ended(here, &["connections", "check", name]);
        let checked = said(&checked);
        assert!(checked.contains("works"), "{name}: {checked}");
    }
    let all = said(&ended(here, &["connections"]));
    assert!(!all.contains("incomplete"), "{all}");
    running.kill().unwrap();
    running.wait().unwrap();
    // What leads to another one is renewed; what somebody wrote is not.
    let (mut again, _) = sandbox(here, &connect);
    said(&ended(here, &["connections", "check", "docebo"]));
    again.kill().unwrap();
    again.wait().unwrap();
    let own = "connections:\n  mail: { host: smtp.example.com, from: a@b.example }\n";
    write(here, "connections.yaml", own);
    let why = refused(&ended(here, &connect), 1);
    assert!(why.contains("names connections already"), "{why}");
    let kept = std::fs::read_to_string(here.join("connections.yaml")).unwrap();
    assert_eq!(kept, own);
}

#[test]
fn the_sandbox_says_who_may_sign_in() {
    let folder = workspace(&[]);
    let (mut sandbox, told) = sandbox(folder.path(), &["sandbox", "--port", "0"]);
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    for line in [
        "docebo\tclient_id: recipe-engine, client_secret: docebo-secret",
        "docebo\tusername: service.connect, password: docebo-password",
        "accredible\tapi_key: accredible-key",
        "mail\tusername: recipes, password: mail-password",
    ] {
        assert!(told.iter().any(|found| found == line), "{line}: {told:#?}");
    }
}

#[test]
fn a_port_in_the_name_of_a_mail_server_is_put_in_its_place() {
    let mail = |host: &str| {
        format!(
            "connections:\n  mail: {{ host: \"{host}\", from: a@example.com, encryption: none }}\n"
        )
    };
    for (host, told) in [
        (
            "smtp.example.com:2525",
            "write `host: smtp.example.com` and `port: 2525`",
        ),
        (
            "smtp://smtp.example.com",
            "the name of the mail server alone",
        ),
    ] {
        let folder = workspace(&[("connections.yaml", &mail(host))]);
        let check = ended(folder.path(), &["connections", "check", "mail"]);
        let said = String::from_utf8_lossy(&[check.stdout, check.stderr].concat()).into_owned();
        assert_ne!(check.status.code(), Some(0), "{said}");
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn an_assumed_call_that_was_tried_is_confirmed_in_one_line() {
    let folder = workspace(&[]);
    let here = folder.path();
    let assumed = |word: &str| {
        let doctor = ended(here, &["doctor", "accredible", "--offline"]);
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(doctor.contains("provenance: observed"), "{doctor}");
        doctor.contains(word)
    };
    assert!(assumed("`docebo.add_field_elements` ("));
    let only = "actions: { add_field_elements: { provenance: observed } }\n";
    write(here, "connectors/docebo.yaml", only);
    let check = said(&ended(here, &["check"]));
    let told = "connectors/docebo.yaml stands for the form of bundled actions: add_field_elements";
    assert!(check.contains(told), "{check}");
    assert!(check.contains("no errors"), "{check}");
    assert!(!assumed("`docebo.add_field_elements` ("));
}

#[test]
fn failed_tests_name_the_customised_recipes_that_were_tested() {
    let folder = workspace(&[]);
    let here = folder.path();
    let name = "integration-master-flow-check";
    said(&ended(here, &["customise", &format!("accredible/{name}")]));
    let file = format!("recipes/accredible/{name}.yaml");
    let text = bundled_text(&file);
    let mine = text.replace(
        "{{ne vars.master 'ACCREDIBLE'}}",
        "{{ne vars.master 'NOBODY'}}",
    );
    assert_ne!(mine, text);
    write(here, &file, &mine);
    let tests = ended(here, &["test", name]);
    let told = String::from_utf8_lossy(&tests.stdout).into_owned();
    assert_eq!(tests.status.code(), Some(1), "{told}");
    let named =
        format!("tested in place of the bundled recipes, since they are customised here: {file}\n");
    assert!(told.contains(&named), "{told}");
    assert!(
        told.contains("a changed copy of it into recipes/accredible/tests/"),
        "{told}"
    );
    // Such a copy counts instead.
    let test = format!("recipes/accredible/tests/{name}.test.yaml");
    let copy =
        format!("recipe: {name}\ncases:\n  - title: Mine\n    expect: {{ status: succeeded }}\n");
    write(here, &test, &copy);
    let told = said(&ended(here, &["test", &test]));
    assert!(told.contains("1 passed, 0 failed"), "{told}");
}

#[test]
fn a_table_of_ones_own_is_blamed_and_not_the_bundled_recipes() {
    let folder = workspace(&[]);
    let here = folder.path();
    let path = "lookup-tables/accredible-ledger.yaml";
    let text = bundled_text(path);
    let check = || {
        let check = ended(here, &["check"]);
        assert_eq!(check.status.code(), Some(1));
        String::from_utf8_lossy(&check.stdout).into_owned()
    };
    for broken in [
        "title: [\n".to_owned(),
        text.replacen("type: string", "type: strng", 1),
    ] {
        write(here, path, &broken);
        let found = check();
        assert!(found.contains(&format!("--> {path}:")), "{found}");
        assert!(!found.contains("--> recipes/"), "{found}");
        let run = ended(here, &["run", "process-certifications"]);
        let why = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(why.contains(&format!("{path}:")), "{why}");
    }
    write(here, path, &text.replacen("  group_id:", "  grup_id:", 1));
    let found = check();
    let cause = format!("this recipe is bundled: look at `{path}` of the workspace");
    assert_eq!(
        found.matches("--> recipes/accredible/").count(),
        found.matches(&cause).count(),
        "{found}"
    );
    assert!(found.contains(&cause), "{found}");
}

#[test]
fn files_of_tests_that_cannot_be_used_are_counted_once() {
    let folder = workspace(&[
        ("recipes/stories/greet.yaml", GREET),
        (
            "recipes/stories/tests/greet.test.yaml",
            "recipe: greet\ncases:\n  - { title: One }\n  - { title: Two, expct: {} }\n",
        ),
    ]);
    let told = refused(&ended(folder.path(), &["test"]), 1);
    assert_eq!(told, "error: one test file cannot be used\n");
    let shown = ended(folder.path(), &["test"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let help = "help: expect: What must hold after, such as `{ status: succeeded";
    assert!(shown.contains(help), "{shown}");
}

#[test]
fn a_run_of_what_waits_for_deliveries_names_the_option_that_gives_one() {
    let text = "title: Hook\ntrigger: { webhook: { auth: none } }\nsteps: [{ log: hi }]\n";
    let folder = workspace(&[("recipes/stories/hook.yaml", text)]);
    let run = ended(folder.path(), &["run", "hook", "--preview"]);
    let why = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(why.contains("give it one with --event FILE"), "{why}");
}

#[test]
fn personal_values_of_a_search_are_not_asked_for_in_vain() {
    let folder = workspace(&[]);
    let asked = ["jobs", "--about", "ann@example.com", "--reveal"];
    let refused = ended(folder.path(), &asked);
    assert_eq!(refused.status.code(), Some(2));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("cannot be used with"), "{why}");
}

#[test]
fn the_audit_tells_in_words_what_else_is_known() {
    let folder = workspace(&[("recipes/stories/greet.yaml", GREET)]);
    let here = folder.path();
    said(&ended(
        here,
        &["tokens", "create", "bob", "--role", "viewer"],
    ));
    let job = said(&ended(here, &["run", "greet"]));
    let job = job.lines().next().unwrap();
    let audit = said(&ended(here, &["audit"]));
    let line = |word: &str| audit.lines().find(|line| line.contains(word)).unwrap();
    assert!(line("token:bob").ends_with("role viewer"), "{audit}");
    let run = line("recipe:stories/greet");
    assert!(run.contains(&format!("jobs {job}")), "{audit}");
}

#[test]
fn a_column_that_was_written_in_part_is_found() {
    let table = "title: Groups\ncolumns:\n  id: { label: Group ID, type: string, required: true }\n  \
                 name: { label: Group Name (Identifier), type: string }\nkey: [id]\n";
    let folder = workspace(&[
        ("lookup-tables/groups.yaml", table),
        ("groups.csv", "Group ID,Group Name\n1,One\n"),
    ]);
    let file = folder.path().join("groups.csv");
    let file = file.to_str().unwrap();
    let import = ended(folder.path(), &["tables", "groups", "--import", file]);
    let why = String::from_utf8_lossy(&import.stderr).into_owned();
    assert!(
        why.contains("did you mean `Group Name (Identifier)`?"),
        "{why}"
    );
}
