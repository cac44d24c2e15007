//! The ported suites: each case is right, or refused with a diagnostic.

use std::fs;

use recipe_engine::clock::Moment;
use recipe_engine::library::Library;
use recipe_engine::schedule::Rule;
use serde_json::Value;

use super::rig::at;
use crate::golden::{files_below, root};

/// What every case may say.
const KEYS: [&str; 12] = [
    "line", "zone", "after", "next", "until", "count", "at", "fires", "refused", "written",
    "theirs", "differs",
];

/// All cases with the file and number of each.
fn cases() -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for path in files_below(&root().join("tests/data/schedules")) {
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let listed: Vec<Value> = serde_yaml::from_str(&text).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for (number, case) in (1..).zip(listed) {
            cases.push((format!("{name} {number}: {}", case["line"]), case));
        }
    }
    cases
}

fn moment(case: &Value, key: &str) -> Moment {
    at(case[key].as_str().unwrap())
}

fn rule(case: &Value) -> Rule {
    let zone = case["zone"].as_str().unwrap_or("UTC");
    let line = case["line"].as_str().unwrap();
    Rule::cron(line, zone).unwrap_or_else(|why| panic!("{line}: {why}"))
}

/// What is wrong with a case; `None` if nothing is.
fn wrong(case: &Value) -> Option<String> {
    if case["refused"].is_string() {
        return None;
    }
    let rule = rule(case);
    let found = if let Some(next) = case["next"].as_array() {
        let mut after = moment(case, "after");
        let mut found = Vec::new();
        for _ in next {
            // Each is asked for anew, as after a restart.
            after = rule.after(after).next()?;
            found.push(Value::from(after.to_string()));
        }
        (Value::from(found), Value::from(next.clone()))
    } else if let Some(fires) = case["fires"].as_bool() {
        let moment = moment(case, "at");
        let is_named = rule.after(Moment(moment.0 - 1)).next() == Some(moment);
        (is_named.into(), fires.into())
    } else {
        let (after, until) = (moment(case, "after"), moment(case, "until"));
        let moments = rule.after(after).take_while(|moment| *moment <= until);
        (moments.count().into(), case["count"].clone())
    };
    let (found, expected) = found;
    (found != expected).then(|| format!("expected {expected}, found {found}"))
}

#[test]
fn the_suites_hold() {
    let cases = cases();
    assert_eq!(cases.len(), 356, "none was lost");
    let mut troubles = Vec::new();
    for (name, case) in &cases {
        for key in case.as_object().unwrap().keys() {
            assert!(KEYS.contains(&key.as_str()), "{name}: `{key}`");
        }
        assert_eq!(
            case["theirs"].is_null(),
            case["differs"].is_null(),
            "{name}"
        );
        troubles.extend(wrong(case).map(|why| format!("{name}: {why}")));
    }
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
}

#[test]
fn what_is_not_taken_has_a_diagnostic_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = folder.path().join("recipes/time");
    fs::create_dir_all(&recipes).unwrap();
    fs::write(
        recipes.join("project.yaml"),
        "title: Time\nversion: 1.0.0\n",
    )
    .unwrap();
    let refused: Vec<_> = cases()
        .into_iter()
        .filter(|(_, case)| case["refused"].is_string())
        .collect();
    assert_eq!(refused.len(), 120, "none was lost");
    for (number, (_, case)) in refused.iter().enumerate() {
        let text = format!(
            "title: It\ntrigger:\n  schedule: {{ cron: {}, timezone: UTC }}\nsteps: [{{ log: done }}]\n",
            case["line"]
        );
        fs::write(recipes.join(format!("case-{number}.yaml")), text).unwrap();
    }
    let library = Library::read(folder.path()).unwrap();
    for (number, (name, case)) in refused.iter().enumerate() {
        let file = format!("recipes/time/case-{number}.yaml");
        let found: Vec<_> = library.diagnostics_of(&file).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        let (found, why) = (found[0], case["refused"].as_str().unwrap());
        assert_eq!(found.code.0, "R065", "{name}");
        assert!(found.message.contains(why), "{name}: {}", found.message);
        assert!(found.help.is_some(), "{name}");
    }
}
