//! The active groups become elements of the dropdowns in Docebo.
//!
//! Always true: what the integration did not add is left alone.

use serde_json::{Value, json};

use super::props::{FIELDS, SYNC_DROPDOWNS, SYNC_GROUPS};
use super::stage::Stage;

#[tokio::test]
async fn only_active_groups_become_elements_and_their_ids_come_back() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let inactive = json!({ "group_id": 2006, "name": "fire-warden-2019", "is_active": false });
    stage.put("accredible-credential-groups", inactive).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let expected = [
        "501 data-protection-basics",
        "502 secure-coding",
        "503 first-aid",
        "504 security-champion",
        "513 leadership-track",
    ];
    assert_eq!(stage.options(FIELDS.0).await, expected);
    let groups = stage.groups().await;
    assert!(
        groups.contains(&"2005 leadership-track active 513".to_owned()),
        "{groups:?}"
    );
    assert!(
        groups.contains(&"2006 fire-warden-2019 inactive -".to_owned()),
        "{groups:?}"
    );
    let elements = stage.elements().await;
    assert_eq!(elements.len(), 10, "{elements:?}");
    for known in [
        "course 2005 513",
        "learning_plan 2003 511",
        "learning_plan 2005 512",
    ] {
        assert!(elements.contains(&known.to_owned()), "{elements:?}");
    }
    // Nothing is left to be done.
    let writes = stage.ground.writes("docebo").await.len();
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(stage.ground.writes("docebo").await.len(), writes);
}

#[tokio::test]
async fn the_element_of_a_group_that_is_no_longer_active_goes_and_courses_fall_back() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let row = json!({ "group_id": 2001, "name": "data-protection-basics", "is_active": false, "dropdown_element_id": 501 });
    stage.put("accredible-credential-groups", row).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let has_it = |options: &Vec<String>| options.iter().any(|o| o.contains("data-protection"));
    assert!(!has_it(&stage.options(FIELDS.0).await));
    assert!(!has_it(&stage.options(FIELDS.1).await));
    let groups = stage.groups().await;
    assert_eq!(groups[0], "2001 data-protection-basics inactive -");
    assert!(
        !stage
            .elements()
            .await
            .iter()
            .any(|line| line.contains(" 2001 "))
    );
    assert_eq!(stage.choice(101).await, Value::Null);
    assert_eq!(stage.choice(102).await, 502);
}

#[tokio::test]
async fn with_deletion_disabled_no_element_goes() {
    let stage = Stage::open().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    stage.set("SYNC_REVOCATION", "true").await;
    let options = stage.options(FIELDS.0).await;
    let row = json!({ "group_id": 2001, "name": "data-protection-basics", "is_active": false, "dropdown_element_id": 501 });
    stage.put("accredible-credential-groups", row).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.options(FIELDS.0).await, options);
    assert_eq!(stage.choice(101).await, 501);
    assert_eq!(
        stage.groups().await[0],
        "2001 data-protection-basics inactive 501"
    );
}

#[tokio::test]
async fn elements_of_other_origin_are_left_alone() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let mut field = field(&stage, FIELDS.0).await;
    let foreign = json!({ "id": 590, "translations": { "english": "None of these" } });
    field["options"]
        .as_array_mut()
        .expect("options")
        .push(foreign);
    stage.give("docebo", "fields", field).await;
    stage
        .in_accredible("archive_group", json!({ "group_id": 2004 }))
        .await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let options = stage.options(FIELDS.0).await;
    assert!(
        options.contains(&"590 None of these".to_owned()),
        "{options:?}"
    );
    assert!(
        !options.contains(&"503 first-aid".to_owned()),
        "{options:?}"
    );
}

#[tokio::test]
async fn a_missing_field_is_created_and_only_then() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage
        .set("COURSE_ADDITIONAL_FIELD", "Credential of the course")
        .await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let created = stage.ground.writes("docebo").await;
    let posts: Vec<&Value> = created
        .iter()
        .filter(|call| call["method"] == "POST")
        .collect();
    assert_eq!(posts.len(), 1, "{posts:?}");
    let fields = stage.ground.rows("docebo", "fields").await;
    let new = fields.last().expect("a field");
    assert_eq!(new["association"], "course");
    assert_eq!(new["type"], "dropdown");
    assert_eq!(new["translations"]["english"], "Credential of the course");
    assert_eq!(new["options"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        stage.options(FIELDS.0).await.len(),
        4,
        "the other field is not touched"
    );
    let before = stage.ground.writes("docebo").await.len();
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(stage.ground.writes("docebo").await.len(), before);
}

#[tokio::test]
async fn a_field_of_another_type_under_that_name_is_told_and_nothing_is_changed() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let groups = stage.groups().await;
    stage.set("COURSE_ADDITIONAL_FIELD", "Cost centre").await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "failed", "{job:?}");
    for word in ["\"Cost centre\"", "of the type textfield", "setting"] {
        assert!(job.why.contains(word), "{word}: {job:?}");
    }
    assert_eq!(stage.ground.writes("docebo").await, [] as [Value; 0]);
    assert_eq!(stage.groups().await, groups);
}

#[tokio::test]
async fn two_runs_at_once_add_each_element_once() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage
        .set("COURSE_ADDITIONAL_FIELD", "Credential of the course")
        .await;
    let mut ids = Vec::new();
    for recipe in [SYNC_DROPDOWNS, SYNC_GROUPS, SYNC_DROPDOWNS] {
        ids.push(stage.queue(recipe, Value::Null).await);
    }
    stage.until_quiet().await;
    for id in &ids {
        let job = stage.seen(id).await;
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    for field in [14, FIELDS.1] {
        let mut labels: Vec<String> = stage.options(field).await;
        labels = labels.iter().map(|line| line[4..].to_owned()).collect();
        labels.sort();
        let count = labels.len();
        labels.dedup();
        assert_eq!((labels.len(), count), (7, 7), "{labels:?}");
    }
    assert_eq!(stage.ground.rows("docebo", "fields").await.len(), 4);
}

#[tokio::test]
async fn identifiers_in_any_writing_become_elements_as_they_are() {
    const NAMES: [&str; 6] = [
        "Der \"große\" Kurs",
        "a/b\\c & d's <b>100%</b>",
        "🎓 graduates 👩‍🚀",
        "שלום עולם مرحبا",
        "{{name}} $.steps ${x}",
        "501",
    ];
    let stage = Stage::open().await;
    for (id, name) in (2101..).zip(NAMES) {
        let group =
            json!({ "id": id, "name": name, "course_name": "A", "course_description": "A" });
        stage.give("accredible", "groups", group).await;
    }
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let options = stage.options(FIELDS.0).await;
    let groups = stage.groups().await;
    for (id, name) in (2101..).zip(NAMES) {
        let option = options.iter().find(|line| line[4..] == *name);
        let element = &option.expect(name)[..3];
        let line = format!("{id} {name} active {element}");
        assert!(groups.contains(&line), "{line}: {groups:?}");
    }
    let writes = stage.ground.writes("docebo").await.len();
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(stage.ground.writes("docebo").await.len(), writes);
}

#[tokio::test]
async fn two_groups_with_one_identifier_have_an_element_each() {
    let stage = Stage::open().await;
    let twin =
        json!({ "id": 2104, "name": "first-aid", "course_name": "A", "course_description": "A" });
    stage.give("accredible", "groups", twin).await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let options = stage.options(FIELDS.0).await;
    let groups = stage.groups().await;
    assert!(options.contains(&"503 first-aid".to_owned()), "{options:?}");
    let twin = options
        .iter()
        .find(|line| line.ends_with(" first-aid (2104)"));
    let element = twin.expect("an element of its own")[..3].to_owned();
    assert!(
        groups.contains(&"2004 first-aid active 503".to_owned()),
        "{groups:?}"
    );
    assert!(
        groups.contains(&format!("2104 first-aid active {element}")),
        "{groups:?}"
    );
    let writes = stage.ground.writes("docebo").await.len();
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(stage.ground.writes("docebo").await.len(), writes);

    // One of them goes: the other's element, and what chose it, stay.
    stage
        .in_accredible("archive_group", json!({ "group_id": 2104 }))
        .await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let options = stage.options(FIELDS.0).await;
    assert!(options.contains(&"503 first-aid".to_owned()), "{options:?}");
    assert!(
        !options.iter().any(|line| line.contains("2104")),
        "{options:?}"
    );
    assert_eq!(stage.choice(104).await, 503);
}

async fn field(stage: &Stage, id: i64) -> Value {
    let fields = stage.ground.rows("docebo", "fields").await;
    let field = fields.into_iter().find(|row| row["id"] == id);
    field.expect("the field")
}
