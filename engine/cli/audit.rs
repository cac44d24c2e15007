//! `recipes audit`: what people did, newest first.

use std::path::Path;

use clap::Args;

use super::client::{Client, Errand};
use super::{Ended, show};
use crate::data::Value;

/// Shows what people did: started, stopped, changed rows, looked at personal values
#[derive(Args, Debug)]
pub(super) struct Audit {
    /// Only what is about this: recipe:PROJECT/NAME, table:NAME or job:ID
    subject: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        let answer = Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        if self.json {
            show::json(&answer)?;
            return Ok(Ended::Well);
        }
        let entries = answer["entries"].as_array().into_iter().flatten();
        let rows = entries
            .map(|entry| {
                vec![
                    show::time(&entry["at"]),
                    show::cell(&entry["by"]),
                    show::cell(&entry["action"]),
                    show::cell(&entry["subject"]),
                    detail(&entry["detail"]),
                ]
            })
            .collect();
        show::rows(&["at", "by", "what", "about", "detail"], rows)?;
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if let Some(subject) = &self.subject {
            query.append_pair("subject", subject);
        }
        client.get(&format!("/api/audit?{}", query.finish())).await
    }
}

/// What else is known, such as how many rows were changed.
fn detail(detail: &Value) -> String {
    let members = detail.as_object().into_iter().flatten();
    let words: Vec<String> = members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value.as_array() {
            Some(list) => {
                let list: Vec<String> = list.iter().map(show::cell).collect();
                format!("{name} {}", list.join(" "))
            }
            None => format!("{name} {}", show::cell(value)),
        })
        .collect();
    words.join(", ")
}
