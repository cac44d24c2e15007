//! What cases of the direction from Accredible to Docebo set up and look at.
//!
//! In: credentials as people issue and change them. Out: external trainings and awards, as lines.
//! Always true: what the first world holds already is not shown.

use recipe_engine::clock::Moment;
use recipe_engine::names::RecipeName;
use recipe_engine::trigger::{Timekeeper, before_start};
use serde_json::{Value, json};

use super::stage::{PROJECT, Seen, Stage, as_text};

/// The recipe that the daily schedule starts.
pub(super) const IMPORT: &str = "event-dispatcher-accredible-to-docebo";

impl Stage {
    /// The bundle with the groups of the first world known, and no learning plan mapped.
    pub(super) async fn for_imports() -> Self {
        let stage = Self::open().await;
        stage.know_the_groups().await;
        stage
    }

    /// Maps a group as people do.
    pub(super) async fn map(&self, group: &str, is_training: bool, certification: &str) {
        let mapping = json!({
            "credential_group_id": group, "import_as_external_training": is_training,
            "certification_code": certification,
        });
        self.put("accredible-integration-mappings", mapping).await;
    }

    /// Issues a credential in Accredible, as people do there; its id.
    pub(super) async fn issue(&self, group: i64, email: &str, more: Value) -> String {
        let mut body = json!({
            "group_id": group, "recipient": { "name": "Somebody", "email": email },
            "issued_on": "2026-02-10",
        });
        let (Value::Object(body_fields), Value::Object(more)) = (&mut body, more) else {
            panic!("a credential is an object");
        };
        body_fields.extend(more);
        let issued = self.in_accredible("issue_credential", body).await;
        as_text(&issued["id"])
    }

    /// Changes a credential in Accredible beneath everybody's eyes.
    pub(super) async fn change(&self, credential: &str, change: Value) {
        let rows = self.ground.rows("accredible", "credentials").await;
        let row = rows.into_iter().find(|row| row["uuid"] == credential);
        let Some(Value::Object(mut row)) = row else {
            panic!("there is no credential {credential}");
        };
        row.extend(change.as_object().cloned().expect("an object"));
        self.ground
            .order("accredible", "state/credentials", Value::Object(row))
            .await;
    }

    /// Runs the import once.
    pub(super) async fn import(&self) -> Seen {
        self.run(IMPORT, Value::Null).await
    }

    /// Runs the import, which must go well and cost Docebo this many writes.
    pub(super) async fn import_with(&self, writes: usize) {
        let before = self.ground.writes("docebo").await.len();
        let job = self.import().await;
        assert_eq!(job.status, "succeeded", "{job:?}");
        let made = self.ground.writes("docebo").await.split_off(before);
        assert_eq!(made.len(), writes, "{made:#?}");
    }

    /// Starts a recipe and lets time pass until then; the moments at which it fired.
    pub(super) async fn keep_time(&self, recipe: &str, until: &str) -> Vec<String> {
        let name = RecipeName::of(PROJECT, recipe).expect("a name");
        let until = Moment::parse(until).expect("a time");
        let begun = before_start(&self.intake, &name, self.clock.now()).await;
        begun.expect("a database");
        let started = self.store.start(&name, "ada", self.clock.now()).await;
        started.expect("a start");
        let keeper = Timekeeper::new(self.intake.clone(), self.world.calls.clone());
        loop {
            let next = keeper.look().await.expect("a database");
            self.until_quiet().await;
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.clock.advance(next.since(self.clock.now()));
            self.ground.set_clock(self.clock.now());
        }
        let rows = self
            .store
            .fire_rows(&name, None, 1_000)
            .await
            .expect("a database");
        rows.iter()
            .rev()
            .map(|row| row.instant.to_string())
            .collect()
    }

    /// The external trainings in Docebo: `user title institute from to`, in order.
    pub(super) async fn trainings(&self) -> Vec<String> {
        let rows = self.ground.rows("docebo", "external_trainings").await;
        let lines = rows.iter().map(|row| {
            let [title, institute, from, to] =
                ["course_name", "training_institute", "from_date", "to_date"]
                    .map(|name| as_text(&row[name]));
            format!("{} {title} | {institute} | {from} {to}", row["user"])
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        lines
    }

    /// The awards in Docebo beyond those of the first world, oldest first: `user certification issued
    /// expires kind`, and `archived`.
    pub(super) async fn awards(&self) -> Vec<String> {
        let rows = self.ground.rows("docebo", "awards").await;
        let lines = rows.iter().filter(|row| row["id"] != 401).map(|row| {
            let day = |name: &str| as_text(&row[name]).chars().take(10).collect::<String>();
            let archived = match row["archived"] == true {
                true => " archived",
                false => "",
            };
            let (issued, expires) = (day("issued_at"), day("expires_at"));
            let kind = as_text(&row["association"]["type"]);
            format!(
                "{} {} {issued} {expires} {kind}{archived}",
                row["user"], row["certification"]
            )
        });
        lines.collect()
    }
}
