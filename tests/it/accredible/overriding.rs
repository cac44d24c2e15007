//! What is only assumed about the vendors stands in one place, and can be put right there.

use std::sync::Arc;

use recipe_engine::connector::References;
use recipe_engine::diagnostic::Severity;
use recipe_engine::library::{Found, Library, Shelf, bundled};
use recipe_engine::names::{ConnectorName, RecipeName};
use recipe_sandbox::SandboxConfig;
use serde_json::{Value, json};

use super::ground::Ground;
use super::props::{FIELDS, SYNC_DROPDOWNS, SYNC_GROUPS};
use super::stage::{Stage, as_text};
use super::tenant;

const ADA: &str = "ada.lovelace@example.com";

/// The words with which a request begins.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[tokio::test]
async fn every_action_that_calls_an_assumed_route_says_so() {
    let ground = Ground::open().await;
    let mut troubles = Vec::new();
    for (vendor, file) in [
        ("docebo", include_str!("../../../connectors/docebo.yaml")),
        (
            "accredible",
            include_str!("../../../connectors/accredible.yaml"),
        ),
    ] {
        let connector: Value = serde_yaml::from_str(file).expect("YAML");
        let routes = ground.control(vendor, "routes").await;
        let routes = routes["routes"].as_array().expect("routes");
        for (name, action) in connector["actions"].as_object().expect("actions") {
            let request = action["request"].as_object().expect("a request");
            let asked = request
                .iter()
                .find(|(key, _)| METHODS.contains(&key.as_str()));
            let (method, path) = asked.expect("a method");
            let route = routes.iter().find(|route| {
                as_text(&route["method"]).eq_ignore_ascii_case(method)
                    && is_at(&as_text(path), &as_text(&route["path"]))
            });
            match route.map(|route| as_text(&route["provenance"])) {
                None => troubles.push(format!("{vendor}.{name}: nobody plays {method} {path}")),
                Some(known) if ["assumed", "weak"].contains(&known.as_str()) => {
                    if action["provenance"] != "assumed" {
                        troubles.push(format!("{vendor}.{name}: {method} {path} is {known}"));
                    }
                }
                // Of a documented route, too, a body may be assumed; but it is said, never left open.
                Some(_) if action["provenance"].is_null() => {
                    troubles.push(format!(
                        "{vendor}.{name}: it does not say how well it is known"
                    ));
                }
                Some(_) => {}
            }
        }
    }
    assert!(troubles.is_empty(), "{troubles:#?}");
}

/// Whether the path of an action is that of a route: what one inserts, the other takes.
fn is_at(path: &str, route: &str) -> bool {
    let (path, route): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), route.split('/').collect());
    let is_same = |(part, taken): (&&str, &&str)| match taken.starts_with('{') {
        true => part.starts_with("{{"),
        false => part == taken,
    };
    path.len() == route.len() && path.iter().zip(&route).all(is_same)
}

#[test]
fn no_recipe_knows_an_address_of_a_vendor() {
    let mut seen = 0;
    for (path, found) in bundled() {
        if !path.starts_with("recipes/accredible/")
            || path.contains("/tests/")
            || path.ends_with(".md")
        {
            continue;
        }
        let text = String::from_utf8(found.bytes.expect("it is bundled")).expect("text");
        let words = [
            "://",
            "action: http",
            "connection: http",
            "/v1/",
            "/v2/",
            "also_send",
        ];
        for word in words {
            assert!(!text.contains(word), "{path} has `{word}`");
        }
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

/// The bundle on a platform whose assumed calls differ, with a connector that says so.
async fn on_another_platform() -> Stage {
    let config = SandboxConfig {
        scale: 0.0,
        ..SandboxConfig::default()
    };
    let mut sandbox = recipe_sandbox::start(config).await.expect("the stand-ins");
    sandbox.docebo_url = tenant::open(&sandbox.docebo_url).await;
    let files = [("connectors/docebo.yaml", tenant::CONNECTOR)];
    let stage = Stage::on(Arc::new(Ground::over(sandbox, &files).await)).await;
    stage.know_the_groups().await;
    stage
}

#[tokio::test]
async fn assumed_calls_of_another_shape_need_a_file_of_connectors_and_no_other_recipe() {
    let stage = on_another_platform().await;
    stage.map("2004", true, "CERT-EXT").await;
    let until = json!({ "expired_on": "2028-02-10" });
    let credential = stage.issue(2004, ADA, until).await;
    stage
        .issue(2004, "alan.turing@example.com", json!({}))
        .await;
    stage.import_with(4).await;
    stage.import_with(0).await;
    let moved = json!({ "issued_on": "2026-02-12", "name": "First Aid, again" });
    stage.change(&credential, moved).await;
    stage.import_with(2).await;
    assert_eq!(
        stage.trainings().await,
        [
            "2 First Aid, again | Accredible | 2026-02-12 2026-02-12",
            "7 First Aid | Accredible | 2026-02-10 2026-02-10",
        ]
    );
    let mut awards = stage.awards().await;
    awards.sort();
    assert_eq!(
        awards,
        [
            "2 303 2026-02-12 2028-02-10 external",
            "7 303 2026-02-10 null external"
        ]
    );

    // The other direction goes as ever, and nothing comes back.
    let completion = json!({ "user_id": 4, "course_id": 101 });
    stage.in_docebo("complete_course", completion).await;
    let jobs = stage.take_reports_in().await;
    assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
    assert_eq!(stage.credentials().await.len(), 3);
    for recipe in [SYNC_GROUPS, SYNC_DROPDOWNS] {
        let job = stage.run(recipe, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    assert!(stage.options(FIELDS.0).await.len() >= 5);
    stage.import_with(0).await;
}

#[tokio::test]
async fn calls_of_another_shape_are_asked_about_and_refused_in_their_own_way() {
    let stage = on_another_platform().await;
    stage.map("2004", true, "CERT-EXT").await;
    stage.issue(2004, ADA, json!({})).await;
    // Both are done, and nobody hears of it.
    for path in [
        "/learn/v1/external_training",
        "/certification/v1/certifications/*/awards",
    ] {
        let fault = json!({ "method": "POST", "path": path, "kind": "reset_after" });
        stage.fault("docebo", fault).await;
    }
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.trainings().await.len(), 1);
    assert_eq!(stage.awards().await.len(), 1);
    stage
        .quirk("docebo", json!({ "external_training": false }))
        .await;
    stage
        .issue(2004, "alan.turing@example.com", json!({}))
        .await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.notices(), ["Docebo: external trainings are refused"]);
    assert_eq!(stage.awards().await.len(), 2);
}

/// A workspace with this connector over the bundled one.
fn with_connector(text: &str) -> Library {
    let mut files = bundled();
    let found = Found {
        bytes: Ok(text.as_bytes().to_vec()),
        is_bundled: false,
        is_here: true,
    };
    files.insert("connectors/docebo.yaml".to_owned(), found);
    Library::of(files)
}

#[test]
fn a_change_that_does_not_give_what_recipes_need_is_found_when_it_is_checked() {
    let without_id = tenant::CONNECTOR.replace(
        "    output:\n      external_training_id: { type: integer, from: \"{{to_integer (replace \
         reply.body.key 'TR-' '')}}\" }\n",
        "    output: {}\n",
    );
    assert_ne!(without_id, tenant::CONNECTOR);
    let library = with_connector(&without_id);
    let told: Vec<String> = library
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    let line = 1 + without_id
        .lines()
        .position(|line| line == "  create_external_training:")
        .expect("the action");
    let at_the_change = format!(
        "connectors/docebo.yaml:{line}:3: warning[R218]: `create_external_training` does not give"
    );
    assert!(
        told.iter().any(|told| told.starts_with(&at_the_change)),
        "{told:#?}"
    );
    let name = RecipeName::of("accredible", "create-update-external-training-for-user");
    let recipe = name.expect("a name");
    assert!(!library.recipes.contains_key(&recipe), "{told:#?}");
    assert!(library.has_errors());
}

#[test]
fn what_bundled_actions_miss_is_told_at_the_change_that_took_it_away() {
    // The bundled award of a certification asks this listing, and reads from it what is gone.
    let text = "budget: [{ calls: 10, per: 1h }]\nactions:\n  list_user_awards:\n    title: List\n    \
                effect: read\n    input: { user_id: integer }\n    request: { get: /awards }\n    pages: \
                { by: page_number, send: query.page }\n    items: $.reply.body.awards\n    output: { \
                certification_id: integer }\n";
    let library = with_connector(text);
    let mut told: Vec<String> = library
        .diagnostics_of("connectors/docebo.yaml")
        .map(ToString::to_string)
        .collect();
    told.retain(|told| told.contains("error"));
    assert!(!told.is_empty());
    for told in told {
        let begin = "connectors/docebo.yaml:3:3: error[";
        assert!(told.starts_with(begin), "{told}");
        assert!(
            told.contains("the bundled action `award_certification` does not fit any more"),
            "{told}"
        );
    }
}

#[test]
fn what_is_changed_is_told_and_a_slip_of_the_pen_is_no_change() {
    let library = with_connector(tenant::CONNECTOR);
    assert!(!library.has_errors(), "{:#?}", library.diagnostics);
    let changes: Vec<String> = library
        .overrides
        .values()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        changes,
        [
            "connectors/docebo.yaml stands in place of bundled actions: list_external_trainings, \
          create_external_training, update_external_training, award_certification"
        ]
    );
    let slip = "actions:\n  list_user:\n    title: List\n    effect: read\n    request: { get: /x }\n    \
                output: {}\n";
    let library = with_connector(slip);
    let told: Vec<String> = library
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    let wanted = "connectors/docebo.yaml:2:3: warning[R218]: the bundled connector has no action \
                  `list_user`, so nothing is changed";
    assert_eq!(told, [wanted]);
}

#[test]
fn a_broken_change_is_told_in_its_own_file_and_nowhere_else() {
    let typo = "actions:\n  session: [\n";
    let mistake = "actions:\n  session:\n    title: Session\n    effect: reed\n    request: { get: /x }\n    \
                   output: {}\n";
    for (text, line) in [(typo, 2), (mistake, 4)] {
        let library = with_connector(text);
        let errors: Vec<String> = library
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .map(ToString::to_string)
            .collect();
        assert!(!errors.is_empty());
        let own = format!("connectors/docebo.yaml:{line}");
        assert!(
            errors.iter().any(|told| told.starts_with(&own)),
            "{errors:#?}"
        );
        assert!(
            errors
                .iter()
                .all(|told| told.starts_with("connectors/docebo.yaml")),
            "{errors:#?}"
        );
        // What uses it does not run, and says why with that file.
        let name = RecipeName::of("accredible", "process-certifications").expect("a name");
        let shelf = Shelf::new(library);
        assert!(shelf.program(&name).is_none());
        let (found, _) = shelf.check_files(&name, &NoReferences);
        assert!(!found.is_empty());
        for found in found {
            let told = found.to_string();
            assert!(told.starts_with("connectors/docebo.yaml"), "{told}");
        }
        let why = shelf.why_unusable(&name).expect("a reason");
        assert!(
            why.starts_with("connectors/docebo.yaml has errors"),
            "{why}"
        );
    }
}

#[test]
fn a_connector_that_breaks_stays_as_it_was() {
    let shelf = Shelf::new(with_connector(tenant::CONNECTOR));
    let name = RecipeName::of("accredible", "process-certifications").expect("a name");
    let docebo = ConnectorName::new("docebo").expect("a name");
    let before = shelf
        .connector(&docebo)
        .expect("the connector")
        .hash
        .clone();
    shelf.replace(with_connector("actions: [\n"));
    assert_eq!(
        shelf.connector(&docebo).expect("the last good one").hash,
        before
    );
    assert!(shelf.program(&name).is_some());
    let broken = Shelf::new(with_connector("actions: [\n"));
    assert!(broken.connector(&docebo).is_none());
}

#[test]
fn a_bundled_recipe_that_a_change_breaks_names_the_file_that_was_changed() {
    let text = "actions:\n  get_user:\n    title: Get\n    effect: read\n    input: { user_id: integer }\n    \
                request: { get: /x }\n    output: {}\n";
    let library = with_connector(text);
    let broken = library.diagnostics.iter().filter(|found| {
        found.severity == Severity::Error && found.place.file.starts_with("recipes/")
    });
    let helps: Vec<&str> = broken.filter_map(|found| found.help.as_deref()).collect();
    assert!(!helps.is_empty());
    for help in helps {
        assert!(
            help.starts_with("this recipe is bundled: look at `connectors/docebo.yaml`"),
            "{help}"
        );
    }
}

/// Secrets that nobody has.
struct NoReferences;

impl References for NoReferences {
    fn environment(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, _path: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }
}
