//! What cases change about the world, and what they look at, in few words.
//!
//! In: what a vendor is to hold, hide or do wrong. Out: rows and fields as short lines of text.
//! Always true: lines are in the order of their ids.

use reqwest::Method;
use serde_json::{Value, json};

use super::stage::{Seen, Stage, as_text};

/// The recipe that reads the groups.
pub(super) const SYNC_GROUPS: &str = "synchronisation-from-accredible-to-lookup-table";

/// The recipe that writes the dropdowns every five minutes.
pub(super) const SYNC_DROPDOWNS: &str =
    "schedule-manually-run-accredible-lookup-table-to-docebo-lms-sync";

/// The recipe that goes through everything that was completed.
pub(super) const BATCH: &str = "batch-sync-docebo-to-accredible";

/// The event of a completed course.
pub(super) const COMPLETED: &str = "course.enrollment.completed";

/// The field of courses, and that of learning plans.
pub(super) const FIELDS: (i64, i64) = (12, 13);

impl Stage {
    /// Changes the oddities of a vendor.
    pub(super) async fn quirk(&self, vendor: &str, patch: Value) {
        self.ground.order(vendor, "quirks", patch).await;
    }

    /// Orders faults: one rule, or several.
    pub(super) async fn fault(&self, vendor: &str, rules: Value) {
        self.ground.order(vendor, "faults", rules).await;
    }

    /// Takes all orders for faults back.
    pub(super) async fn heal(&self, vendor: &str) {
        self.ground
            .ask(Method::DELETE, vendor, "faults", Value::Null)
            .await;
    }

    /// The subjects of the mails that people got, in order.
    pub(super) fn notices(&self) -> Vec<String> {
        let mails = self.ground.sandbox.mails();
        mails.into_iter().map(|mail| mail.subject).collect()
    }

    /// Adds or replaces rows at a vendor.
    pub(super) async fn give(&self, vendor: &str, collection: &str, rows: Value) {
        self.ground
            .order(vendor, &format!("state/{collection}"), rows)
            .await;
    }

    /// Something that people do in Accredible, such as `archive_group`.
    pub(super) async fn in_accredible(&self, action: &str, with: Value) -> Value {
        self.ground
            .order("accredible", &format!("actions/{action}"), with)
            .await
    }

    /// Has Accredible allow duplicates in these groups, so that nobody but us prevents them.
    pub(super) async fn allow_duplicates(&self, groups: &[i64]) {
        let rows = self.ground.rows("accredible", "groups").await;
        for row in rows {
            if groups.iter().any(|group| row["id"] == *group) {
                let mut row = row.clone();
                row["allow_duplicate_credentials"] = json!(true);
                self.give("accredible", "groups", row).await;
            }
        }
    }

    /// A learner completes a course in Docebo; nobody hears of it yet.
    pub(super) async fn complete(&self, user: i64, course: i64, at: &str) {
        let input = json!({ "user_id": user, "course_id": course, "completed_at": at });
        self.in_docebo("complete_course", input).await;
    }

    /// Adds users to Docebo: `id, first name, last name, e-mail`.
    pub(super) async fn welcome(&self, users: &[(i64, &str, &str, &str)]) {
        for (id, first, last, email) in users {
            let user = json!({
                "id": id, "username": format!("user-{id}"), "email": email,
                "first_name": first, "last_name": last,
            });
            self.give("docebo", "users", user).await;
        }
    }

    /// Takes deliveries in, all before any work is done; the new jobs as they end.
    pub(super) async fn hear(&self, bodies: &[Value]) -> Vec<Seen> {
        let mut jobs = Vec::new();
        for body in bodies {
            jobs.extend(self.deliver(body).await);
        }
        jobs.sort();
        jobs.dedup();
        self.until_quiet().await;
        let mut seen = Vec::new();
        for job in jobs {
            seen.push(self.seen(&job).await);
        }
        seen
    }

    /// The credentials of an e-mail in a group, oldest first.
    pub(super) async fn held(&self, email: &str, group: i64) -> Vec<Value> {
        let mut rows = self.ground.rows("accredible", "credentials").await;
        rows.retain(|row| {
            let own = as_text(&row["recipient"]["email"]).to_lowercase();
            own == email && row["group_id"] == group
        });
        rows.sort_by_key(|row| row["id"].as_i64());
        rows
    }

    /// The known groups: `id name active|inactive element`.
    pub(super) async fn groups(&self) -> Vec<String> {
        let mut rows = self.rows("accredible-credential-groups").await;
        rows.sort_by_key(|row| row["group_id"].as_i64());
        let line = |row: &serde_json::Map<String, Value>| {
            let state = if row["is_active"] == true {
                "active"
            } else {
                "inactive"
            };
            let element = row.get("dropdown_element_id").unwrap_or(&Value::Null);
            let element = if element.is_null() {
                "-".to_owned()
            } else {
                element.to_string()
            };
            let name = as_text(&row["name"]);
            format!("{} {name} {state} {element}", row["group_id"])
        };
        rows.iter().map(line).collect()
    }

    /// The elements that are known to be ours: `object group element`.
    pub(super) async fn elements(&self) -> Vec<String> {
        let rows = self.rows("accredible-dropdown-elements").await;
        let line = |row: &serde_json::Map<String, Value>| {
            let object = as_text(&row["object"]);
            format!("{object} {} {}", row["group_id"], row["element_id"])
        };
        let mut lines: Vec<String> = rows.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The elements of a dropdown in Docebo: `id label`.
    pub(super) async fn options(&self, field: i64) -> Vec<String> {
        let fields = self.ground.rows("docebo", "fields").await;
        let field = fields.iter().find(|row| row["id"] == field);
        let options = field.expect("the field")["options"].clone();
        let line = |option: &Value| {
            let label = as_text(&option["translations"]["english"]);
            format!("{} {label}", option["id"])
        };
        options
            .as_array()
            .expect("options")
            .iter()
            .map(line)
            .collect()
    }

    /// What a course has chosen in the field of credential groups.
    pub(super) async fn choice(&self, course: i64) -> Value {
        let courses = self.ground.rows("docebo", "courses").await;
        let course = courses.iter().find(|row| row["id"] == course);
        course.expect("the course")["fields"]["12"].clone()
    }

    /// Lets a course choose an element (null for none).
    pub(super) async fn choose(&self, course: i64, element: Value) {
        let courses = self.ground.rows("docebo", "courses").await;
        let row = courses.iter().find(|row| row["id"] == course);
        let mut row = row.expect("the course").clone();
        row["fields"]["12"] = element;
        self.give("docebo", "courses", row).await;
    }

    /// The active mappings: `group plan certification`.
    pub(super) async fn mappings(&self) -> Vec<String> {
        let rows = self.rows("accredible-integration-mappings").await;
        let active = rows.iter().filter(|row| row["is_active"] == true);
        let line = |row: &serde_json::Map<String, Value>| {
            let text = |name: &str| as_text(&row[name]);
            let line = format!(
                "{} {}",
                text("credential_group_id"),
                text("learning_plan_id")
            );
            format!("{line} {}", text("certification_code"))
                .trim()
                .to_owned()
        };
        active.map(line).collect()
    }
}

/// A delivery of Docebo's webhook with one payload, or with several.
pub(super) fn report(message: &str, event: &str, payloads: Value) -> Value {
    let mut body = json!({ "message_id": message, "webhook_id": 1, "event": event });
    let name = if payloads.is_array() {
        "payloads"
    } else {
        "payload"
    };
    body[name] = payloads;
    body
}

/// What Docebo reports of a completed course.
pub(super) fn completion(message: &str, user: i64, course: i64) -> Value {
    let payload = json!({
        "fired_at": "2026-03-01 10:00:00", "user_id": user, "course_id": course, "status": "completed",
    });
    report(message, COMPLETED, payload)
}

/// Groups of Accredible with these ids, named `group-<id>`.
pub(super) fn many_groups(ids: std::ops::Range<i64>) -> Value {
    let group = |id| json!({ "id": id, "name": format!("group-{id}"), "course_name": "A course", "course_description": "A course" });
    ids.map(group).collect()
}
