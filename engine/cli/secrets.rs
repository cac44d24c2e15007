//! `recipes secrets`: what connections sign in with, sealed in the database.
//!
//! Always true: a secret is read from the terminal, unseen, or from the standard input, never from
//! the arguments, which others on the machine can read; it is never printed.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::client::{Body, Client, Errand};
use super::{Ended, say, show};
use crate::names::SecretName;
use crate::settings::Settings;
use crate::store::forget_key;

/// Keeps passwords and keys of connections, sealed in the database, whether a server runs or not
///
/// connections.yaml refers to them: `api_key: { secret: shop.api_key }`.
#[derive(Args, Debug)]
pub(super) struct Secrets {
    #[command(subcommand)]
    what: What,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Lists the names of the secrets that were given, and of those that are missing
    List,
    /// Asks for a secret and keeps it; or takes it from the standard input
    Set {
        /// Connection and field, such as shop.api_key
        #[arg(value_name = "CONNECTION.FIELD")]
        name: String,
    },
    /// Removes a secret
    Remove {
        /// Connection and field, such as shop.api_key
        #[arg(value_name = "CONNECTION.FIELD")]
        name: String,
        /// Also if a connection refers to it, so that calls fail and deliveries are turned away
        #[arg(long)]
        anyway: bool,
    },
    /// Seals with a new key from now on; what was sealed before still opens
    Rekey {
        /// The key file is lost: forget all that was sealed with it, so that the server starts
        #[arg(long)]
        key_is_lost: bool,
    },
}

impl Secrets {
    pub(super) async fn run(self, workspace: &Path) -> anyhow::Result<Ended> {
        if let What::Rekey { key_is_lost: true } = self.what {
            return start_anew(workspace).await;
        }
        let secret = match &self.what {
            What::Set { name } => {
                SecretName::new(name).map_err(anyhow::Error::msg)?;
                match ask(name).await? {
                    Some(secret) => secret,
                    None => return Ok(Ended::Interrupted),
                }
            }
            _ => String::new(),
        };
        Client::run(workspace, Errand::Ask, async |client| {
            self.tell(client, &secret).await
        })
        .await?;
        Ok(Ended::Well)
    }

    async fn tell(&self, client: &Client, secret: &str) -> anyhow::Result<()> {
        let (answer, words) = match &self.what {
            What::List => {
                let answer = client.get("/api/secrets").await?;
                if !self.json {
                    return list(&answer);
                }
                (answer, String::new())
            }
            What::Set { name } => {
                let body = json!({ "value": secret });
                let path = address(name);
                let answer = client.send(Method::PUT, &path, Body::Json(&body)).await?;
                let next = match answer.body["next"].as_str() {
                    Some(next) => format!("; no connection uses it yet: {next}"),
                    None => String::new(),
                };
                (
                    answer.body,
                    format!("secret `{name}` is kept, sealed{next}\n"),
                )
            }
            What::Remove { name, anyway } => {
                let path = format!("{}?anyway={anyway}", address(name));
                let answer = client.send(Method::DELETE, &path, Body::None).await?;
                (answer.body, format!("secret `{name}` is removed\n"))
            }
            What::Rekey { .. } => {
                let answer = client.post("/api/secrets/rekey", None).await?;
                let words = "secrets are sealed with a new key from now on. The key file holds the \
                             old one, too, which opens rows and history of before: back it up anew\n";
                (answer, words.to_owned())
            }
        };
        match self.json {
            true => show::json(&answer),
            false => say(&words),
        }
    }
}

fn address(name: &str) -> String {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("/api/secrets/{name}")
}

fn list(answer: &crate::data::Value) -> anyhow::Result<()> {
    let secrets = answer["secrets"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = secrets
        .map(|secret| {
            vec![
                show::cell(&secret["name"]),
                show::cell(&secret["state"]),
                show::time(&secret["set_at"]),
                show::cell(&secret["set_by"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        return say("no secret is kept here, and connections.yaml refers to none\n");
    }
    show::rows(&["secret", "state", "given", "by"], rows)
}

/// Makes a new key where the old one is lost; only while no server runs.
async fn start_anew(workspace: &Path) -> anyhow::Result<Ended> {
    let settings = Settings {
        key_file: Settings::key_file(workspace).map_err(anyhow::Error::msg)?,
        ..Settings::private(workspace)
    };
    let (database, key) = (settings.database(), settings.key_path());
    if !database.exists() {
        bail!("there is no database yet, and so nothing that was sealed");
    }
    let now = settings.clock().now();
    let aside = forget_key(&database, &key, "cli", now).await?;
    if let Some(aside) = aside {
        say(&format!("what stood there is now `{}`\n", aside.display()))?;
    }
    say(&format!(
        "`{}` holds a new key. Give all secrets anew (`recipes secrets list` names them); secret \
         columns of tables count as empty until they are given anew, and jobs that hold a secret \
         cannot go on\n",
        key.display()
    ))?;
    Ok(Ended::Well)
}

/// The secret, unless Ctrl-C was pressed.
async fn ask(name: &str) -> anyhow::Result<Option<String>> {
    if !std::io::stdin().is_terminal() {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("the standard input is no text")?;
        return Ok(Some(text.trim().to_owned()));
    }
    say(&format!("{name} (it is not shown): "))?;
    let unseen = Unseen::begin();
    let (told, line) = tokio::sync::oneshot::channel();
    // A thread of its own: reading a line cannot be given up, and the program ends without it.
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = std::io::stdin().read_line(&mut text).map(|_| text);
        let _ = told.send(read);
    });
    let read = tokio::select! {
        read = line => Some(read),
        _ = tokio::signal::ctrl_c() => None,
    };
    drop(unseen);
    say("\n")?;
    match read {
        None => Ok(None),
        Some(read) => Ok(Some(read??.trim().to_owned())),
    }
}

/// As long as this lives, the terminal does not show what is typed.
struct Unseen;

impl Unseen {
    fn begin() -> Self {
        echo("-echo");
        Self
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        echo("echo");
    }
}

/// A terminal that cannot be told so shows what is typed.
fn echo(how: &str) {
    let told = Command::new("stty")
        .arg(how)
        .stdin(Stdio::inherit())
        .status();
    if !told.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "(this terminal may show what you type)");
    }
}
