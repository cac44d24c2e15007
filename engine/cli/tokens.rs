//! `recipes tokens`: who may use the API, and how far.
//!
//! Always true: a token is printed once, when it is made, and nowhere else.

use std::path::Path;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::client::{Body, Client, Errand};
use super::{Ended, say, show};
use crate::data::Value;
use crate::names::Role;

/// Lists, makes and revokes the tokens that the API is used with, whether a server runs or not
#[derive(Args, Debug)]
#[command(after_help = roles())]
pub(super) struct Tokens {
    #[command(subcommand)]
    what: What,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Lists all tokens with role, state and about when each was last used
    List,
    /// Makes a token and shows it, this once
    Create {
        /// What it is called: whoever changes something stands in the audit under this name
        name: String,
        /// What it allows: viewer, operator, editor or admin
        #[arg(long)]
        role: String,
        /// After how long it is not taken any more, such as 90d; without this, it has no end
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Ends a token at once, and the streams that it opened
    Revoke {
        /// What it is called
        name: String,
    },
}

/// What each role allows.
fn roles() -> String {
    let mut text = "Roles, each of which may do all that the ones before it may:\n".to_owned();
    for role in Role::ALL {
        text += &format!("  {:<9} {}\n", role.as_str(), role.adds());
    }
    text
}

impl Tokens {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        Client::run(workspace, Errand::Ask, async |client| {
            self.ask(client).await
        })
        .await?;
        Ok(Ended::Well)
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<()> {
        match &self.what {
            What::List => {
                let answer = client.get("/api/tokens").await?;
                self.tell(&answer, list)
            }
            What::Create {
                name,
                role,
                expires,
            } => {
                let wish = json!({ "name": name, "role": role, "expires_in": expires });
                let answer = client.post("/api/tokens", Some(&wish)).await?;
                self.tell(&answer, created)
            }
            What::Revoke { name } => {
                let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
                let path = format!("/api/tokens/{name}");
                let answer = client.send(Method::DELETE, &path, Body::None).await?;
                self.tell(&answer.body, |answer| {
                    say(&format!(
                        "token `{}` is revoked\n",
                        show::cell(&answer["name"])
                    ))
                })
            }
        }
    }

    fn tell(
        &self,
        answer: &Value,
        in_words: impl FnOnce(&Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self.json {
            true => show::json(answer),
            false => in_words(answer),
        }
    }
}

fn list(answer: &Value) -> anyhow::Result<()> {
    let tokens = answer["tokens"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = tokens
        .map(|token| {
            vec![
                show::cell(&token["name"]),
                show::cell(&token["role"]),
                show::cell(&token["status"]),
                show::time(&token["created_at"]),
                show::time(&token["expires_at"]),
                show::time(&token["used_at"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        return say(
            "no token was made yet: the first `recipes serve` makes the admin's, and `recipes \
             tokens create NAME --role ROLE` makes others\n",
        );
    }
    show::rows(
        &["token", "role", "state", "created", "expires", "last used"],
        rows,
    )
}

fn created(answer: &Value) -> anyhow::Result<()> {
    let until = match answer["expires_at"].is_null() {
        true => "without end".to_owned(),
        false => format!("until {}", show::time(&answer["expires_at"])),
    };
    say(&format!(
        "token `{}` ({}, {until}), shown this once; keep it safe:\n{}\n",
        show::cell(&answer["name"]),
        show::cell(&answer["role"]),
        show::cell(&answer["token"])
    ))
}
