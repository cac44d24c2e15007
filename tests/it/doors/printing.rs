//! What commands print for programs.
//!
//! In: each verb that answers something, with `--json`. Out: one JSON value with what was asked for.
//! Always true: nothing else stands on the standard output.

use serde_json::Value;

use super::house::workspace;
use super::process::{ended, said};

const DAILY: &str = "
title: Daily
trigger: { schedule: { every: 1d } }
steps: [{ call: greet }]
";

const GREET: &str = "
title: Greet
trigger: { function: {} }
steps: [{ id: noted, table: notes, upsert: { name: Ann } }]
";

const NOTES: &str = "
title: Notes
columns: { name: { type: string, required: true } }
key: [name]
";

#[test]
fn what_programs_ask_for_is_json_and_nothing_else() {
    let folder = workspace(&[
        ("recipes/stories/daily.yaml", DAILY),
        ("recipes/stories/greet.yaml", GREET),
        ("lookup-tables/notes.yaml", NOTES),
    ]);
    let asked = |words: &str| -> Value {
        let mut words: Vec<&str> = words.split(' ').collect();
        words.push("--json");
        let told = said(&ended(folder.path(), &words));
        serde_json::from_str(&told).unwrap_or_else(|why| panic!("{words:?}: {why}\n{told}"))
    };
    let job = asked("run greet --wait");
    let id = job["id"].as_str().unwrap();
    let cases = [
        ("start daily".to_owned(), "/name", "stories/daily"),
        ("stop daily".to_owned(), "/status", "stopped"),
        (
            "list --project stories".to_owned(),
            "/recipes/1/name",
            "stories/greet",
        ),
        ("show greet".to_owned(), "/title", "Greet"),
        ("graph stories".to_owned(), "/calls/0/to", "stories/greet"),
        ("versions greet".to_owned(), "/versions/0/from", "file"),
        ("diff greet".to_owned(), "/name", "stories/greet"),
        ("tables notes".to_owned(), "/rows/0/name", "Ann"),
        (
            "tables history notes Ann".to_owned(),
            "/versions/0/change",
            "added",
        ),
        ("jobs".to_owned(), "/jobs/0/id", id),
        (format!("jobs {id}"), "/status", "succeeded"),
        (format!("jobs record {id}"), "/recipe", "stories/greet"),
        ("audit".to_owned(), "/entries/0/by", "cli"),
    ];
    for (words, place, wanted) in cases {
        let answer = asked(&words);
        let found = answer.pointer(place).and_then(Value::as_str);
        assert_eq!(found, Some(wanted), "{words}: {place} of {answer}");
    }
    let schedules = asked("schedules");
    let mut of = schedules["schedules"].as_array().unwrap().iter();
    let daily = of.find(|one| one["recipe"] == "stories/daily").unwrap();
    assert_eq!(daily["kind"], "schedule");
    let tables = asked("tables");
    let mut names = tables["tables"].as_array().unwrap().iter();
    assert!(names.any(|table| table["name"] == "notes"), "{tables}");
    for words in [
        "check",
        "connections",
        "events",
        "tokens list",
        "secrets list",
    ] {
        let answer = asked(words);
        assert!(answer.is_object() || answer.is_array(), "{words}: {answer}");
    }
}
