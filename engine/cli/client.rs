//! How commands reach the engine: over the API of the server that runs on the workspace; if none
//! runs, over that of one which lives as long as the command.
//!
//! Always true: a command does the same whether a server runs or not; what is refused is an error
//! with all that the problem object says.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Method, StatusCode, Url};

use super::show;
use crate::clock::Clock;
use crate::data::Value;
use crate::server::{Engine, Trouble, Whereabouts, fresh_token};
use crate::settings::Settings;
use crate::store::StoreError;

/// How long a server that left word gets to say that it lives.
const LIFE_SIGN: Duration = Duration::from_secs(3);

/// How long the id of a job is, and how much of it is enough if no other begins so.
const ID_CHARS: usize = 36;
const ID_CHARS_MIN: usize = 8;

/// How often, and how many times, a workspace that somebody else has open is looked at again, and
/// from when on it is said what is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOKS_MAX: u32 = 50;
const LOOKS_QUIET: u32 = 3;

/// What a command needs done if no server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// Looking things up and changing them.
    Ask,
    /// Running jobs, too.
    Work,
}

/// A way to the engine.
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
    own: Option<Engine>,
}

/// An answer that was no refusal.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    pub(super) text: String,
}

impl Client {
    /// Finds the server of a workspace, or opens the workspace. A server that is just starting or
    /// stopping, or another command, is waited for.
    pub(super) async fn connect(workspace: &Path, errand: Errand) -> anyhow::Result<Self> {
        for look in 1.. {
            if let Some(client) = Self::of_server(workspace).await? {
                return Ok(client);
            }
            match Self::open(workspace, errand).await {
                Err(error) if look < LOOKS_MAX && is_in_use(&error) => {}
                opened => return opened,
            }
            if look == LOOKS_QUIET {
                show::aside(
                    "a server or another command is just starting or stopping here; waiting for it",
                );
            }
            Clock::rest(LOOK_EVERY).await;
        }
        Err(anyhow!("the workspace cannot be opened"))
    }

    /// Opens a workspace on which no server runs.
    async fn open(workspace: &Path, errand: Errand) -> anyhow::Result<Self> {
        let http = http()?;
        // Without a token of its own, this server would make the admin's, and nobody would see it;
        // what it says of addresses is said of the real server.
        let settings = Settings {
            admin_token: Some(fresh_token()),
            public_url: Settings::reached_at(workspace),
            private_hosts: Settings::private_hosts(workspace).map_err(anyhow::Error::msg)?,
            history: Settings::budgets(workspace).map_err(anyhow::Error::msg)?,
            key_file: Settings::key_file(workspace).map_err(anyhow::Error::msg)?,
            ..Settings::private(workspace)
        };
        let engine = Engine::open(settings).await?;
        let listening = match errand {
            Errand::Ask => engine.answer().await?,
            Errand::Work => engine.serve().await?,
        };
        let token = listening.local_token.reveal().to_owned();
        Ok(Self {
            http,
            url: listening.url,
            token,
            own: Some(engine),
        })
    }

    /// The way to the server of a workspace; none if no server runs.
    pub(super) async fn of_server(workspace: &Path) -> anyhow::Result<Option<Self>> {
        let http = http()?;
        let Some(here) = Whereabouts::read(workspace) else {
            return Ok(None);
        };
        if !is_there(&http, &here).await {
            return Ok(None);
        }
        let client = Self {
            http,
            url: here.url,
            token: here.token,
            own: None,
        };
        client.take_files_up().await;
        Ok(Some(client))
    }

    /// Has the server look at the files, so that what was saved a moment ago counts for the command.
    async fn take_files_up(&self) {
        if let Err(why) = self.post("/api/files", None).await {
            show::aside(&format!(
                "changed files do not count yet, the server goes on as it was: {why:#}"
            ));
        }
    }

    /// Finds a way to the engine, does something there, and lets go in order, whatever came of it.
    pub(super) async fn run<T>(
        workspace: &Path,
        errand: Errand,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let client = Self::connect(workspace, errand).await?;
        let done = work(&client).await;
        client.close().await;
        done
    }

    /// Whether the engine lives in a server of its own, and goes on after this command.
    pub(super) fn is_served(&self) -> bool {
        self.own.is_none()
    }

    /// Lets go; a workspace that was opened is closed in order.
    pub(super) async fn close(self) {
        if let Some(engine) = self.own {
            engine.shutdown().await;
        }
    }

    /// `GET`
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.send(Method::GET, path, Body::None).await?.body)
    }

    /// `POST` with a JSON body, or none.
    pub(super) async fn post(&self, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let body = body.map_or(Body::None, Body::Json);
        Ok(self.send(Method::POST, path, body).await?.body)
    }

    /// `GET` of what is no JSON.
    pub(super) async fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.send(Method::GET, path, Body::None).await?.text)
    }

    /// Any other request.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body<'_>,
    ) -> anyhow::Result<Answer> {
        let url = Url::parse(&self.url)?.join(path)?;
        let request = self.http.request(method, url).bearer_auth(&self.token);
        let request = match body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::JsonOverAny(value) => request.header("if-match", "*").json(value),
            Body::Csv(bytes) => request.header("content-type", "text/csv").body(bytes),
            Body::AskForCsv => request.header("accept", "text/csv"),
        };
        let answer = request.send().await.context("the server does not answer")?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .context("the server's answer broke off")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(Answer { status, body, text });
        }
        Err(refusal(status, &body))
    }

    /// The whole id of a job, of which the beginning is enough where no other begins so.
    pub(super) async fn job(&self, written: &str) -> anyhow::Result<String> {
        if !(ID_CHARS_MIN..ID_CHARS).contains(&written.len()) {
            return Ok(written.to_owned());
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("id", &written.to_lowercase());
        query.append_pair("limit", "2");
        let found = self.get(&format!("/api/jobs?{}", query.finish())).await?;
        let jobs = found["jobs"].as_array().into_iter().flatten();
        let ids: Vec<String> = jobs.map(|job| show::cell(&job["id"])).collect();
        match ids.as_slice() {
            [id] => Ok(id.clone()),
            [] => Err(anyhow!(
                "there is no job `{written}`; `recipes jobs` lists the last ones"
            )),
            several => Err(anyhow!(
                "the ids of several jobs begin with `{written}`, such as {}; write more of it",
                several.join(" and ")
            )),
        }
    }

    /// The whole name of a recipe that is named with or without its project.
    pub(super) async fn recipe(&self, written: &str) -> anyhow::Result<String> {
        if written.contains('/') {
            return Ok(written.to_owned());
        }
        let list = self.get("/api/recipes").await?;
        let names: Vec<&str> = list["recipes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|recipe| recipe["name"].as_str())
            .collect();
        let own_name = |name: &&str| name.rsplit('/').next() == Some(written);
        let meant: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| own_name(name))
            .collect();
        match meant.as_slice() {
            [name] => Ok((*name).to_owned()),
            [] => {
                let known = names
                    .iter()
                    .map(|name| name.rsplit('/').next().unwrap_or(name));
                let help = crate::diagnostic::did_you_mean(written, known).map_or_else(
                    || "; `recipes list` shows all".to_owned(),
                    |meant| format!("; did you mean `{meant}`?"),
                );
                Err(anyhow!("there is no recipe `{written}`{help}"))
            }
            several => {
                let commands = several.iter().map(|name| said_with(written, name));
                Err(anyhow!(
                    "several recipes are called `{written}`; say which one:\n  {}",
                    commands.collect::<Vec<_>>().join("\n  ")
                ))
            }
        }
    }
}

/// The command that was given, with the whole name of a recipe in place of the one that was written.
fn said_with(written: &str, name: &str) -> String {
    let mut is_said = false;
    let words = std::env::args().skip(1).map(|word| {
        let is_meant = word == written && !is_said;
        is_said |= is_meant;
        show::argument(if is_meant { name } else { &word })
    });
    let words: Vec<String> = words.collect();
    match is_said {
        true => format!("recipes {}", words.join(" ")),
        false => name.to_owned(),
    }
}

/// What a request brings.
pub(super) enum Body<'a> {
    None,
    Json(&'a Value),
    /// The same, whatever stands in its place now.
    JsonOverAny(&'a Value),
    Csv(Vec<u8>),
    AskForCsv,
}

/// A client for addresses of this machine and what stands in the workspace.
pub(super) fn http() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("no HTTP client can be made")
}

/// Whether somebody else has the workspace open.
fn is_in_use(error: &anyhow::Error) -> bool {
    let trouble = error.downcast_ref::<Trouble>();
    matches!(trouble, Some(Trouble::Database(StoreError::InUse(_))))
}

/// Whether the server that left word is still there. Another one may have come to its address since
/// it was killed: only the very same one knows the token.
async fn is_there(http: &reqwest::Client, here: &Whereabouts) -> bool {
    let answer = http
        .get(format!("{}/api/whoami", here.url))
        .bearer_auth(&here.token)
        .timeout(LIFE_SIGN)
        .send()
        .await;
    match answer {
        Ok(answer) if answer.status().is_success() => {
            let text = answer.text().await.unwrap_or_default();
            serde_json::from_str::<Value>(&text).is_ok_and(|body| body["name"] == "cli")
        }
        _ => false,
    }
}

/// A problem object in words: what is wrong, then each thing on a line of its own.
fn refusal(status: StatusCode, body: &Value) -> anyhow::Error {
    let word = |name: &str| body.get(name).and_then(Value::as_str);
    let mut text = match (word("detail"), word("title")) {
        (Some(detail), _) => detail.to_owned(),
        (None, Some(title)) => title.trim_end_matches('.').to_owned(),
        (None, None) => format!("the server answered {status}"),
    };
    for error in body["errors"].as_array().into_iter().flatten() {
        let place = ["place", "path"]
            .iter()
            .find_map(|name| error[*name].as_str());
        let message = error["message"].as_str().unwrap_or_default();
        // What is said of the one thing that is wrong was said already.
        if message == text {
            continue;
        }
        let _ = write!(
            text,
            "\n  {}{message}",
            place.map_or(String::new(), |p| format!("{p}: "))
        );
        if let Some(help) = error["help"].as_str() {
            let _ = write!(text, "\n    help: {help}");
        }
    }
    anyhow!(text)
}
