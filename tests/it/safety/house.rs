//! A server in a process of its own that logs all it can, a vendor that repeats what it hears, and
//! a list of all that anybody was told.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The admin's token, which is a secret too.
pub(super) const ADMIN: &str = "planted-admin-token-51f0";

/// A served workspace.
pub(super) struct House {
    pub(super) folder: TempDir,
    server: Child,
    pub(super) url: String,
    http: reqwest::Client,
    /// What was said, with who said it.
    heard: Mutex<Vec<(String, Vec<u8>)>>,
}

impl House {
    /// Serves a workspace with these files.
    pub(super) fn open(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            "recipes/planted/project.yaml",
            "title: Planted\nversion: 1.0.0\n",
        );
        for (path, text) in files {
            write(folder.path(), path, text);
        }
        let checked = recipes(folder.path(), &["check"]).output().unwrap();
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stdout)
        );
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (server, url) = serve(folder.path());
        Self {
            folder,
            server,
            url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            heard: Mutex::default(),
        }
    }

    /// Asks the API as the admin.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        self.ask_unheard(method, path, body, true).await
    }

    /// Asks for what the asker may see: the answer is not looked through.
    pub(super) async fn ask_privately(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Value {
        self.ask_unheard(method, path, body, false).await
    }

    async fn ask_unheard(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        is_heard: bool,
    ) -> Value {
        let request = self
            .http
            .request(method.clone(), format!("{}{path}", self.url));
        let request = request.bearer_auth(ADMIN);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        for name in [
            "x-content-type-options",
            "cache-control",
            "content-security-policy",
        ] {
            assert!(answer.headers().contains_key(name), "{name} of {path}");
        }
        let text = answer.text().await.unwrap();
        if is_heard {
            self.hear(&format!("{method} {path}"), text.as_bytes());
        }
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Delivers to a webhook.
    pub(super) async fn deliver(&self, path: &str, token: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url));
        let answer = request.bearer_auth(token).json(body).send().await.unwrap();
        let text = answer.text().await.unwrap();
        self.hear(&format!("delivery to {path}"), text.as_bytes());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Delivers with a password and a signature made of it: each webhook looks at its own.
    pub(super) async fn deliver_signed(&self, path: &str, secret: &str) {
        use hmac::{Hmac, KeyInit, Mac};
        let body = json!({ "token": secret }).to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request
            .basic_auth("sender", Some(secret))
            .header("x-signature", signature)
            .header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        self.hear(&format!("signed delivery to {path}"), text.as_bytes());
        assert_eq!(status, StatusCode::ACCEPTED, "{path}: {text}");
    }

    /// Asks with a token of one's own, and may be refused.
    pub(super) async fn ask_as(&self, token: &str, path: &str) {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(token).send().await.unwrap();
        let text = answer.text().await.unwrap();
        self.hear(path, text.as_bytes());
    }

    /// Runs a recipe and waits for its end; answers the job.
    pub(super) async fn run(&self, recipe: &str, input: Value) -> String {
        let path = format!("/api/recipes/planted/{recipe}/run");
        let answer = self
            .ask(Method::POST, &path, Some(json!({ "input": input })))
            .await;
        let id = answer["jobs"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        self.settled(id).await;
        id.to_owned()
    }

    /// A job, once it ended or needs a person.
    pub(super) async fn settled(&self, id: &str) -> Value {
        self.ask(Method::GET, &format!("/api/jobs/{id}?wait=60s"), None)
            .await
    }

    /// A job, once it ended: what a person decided is taken up meanwhile.
    pub(super) async fn ended(&self, id: &str) -> Value {
        let mut job = Value::Null;
        for _ in 0..2_000 {
            job = self.settled(id).await;
            if !job["ended_at"].is_null() {
                return job;
            }
        }
        panic!("the job does not end: {job}");
    }

    /// Says a command of the command line.
    pub(super) fn say(&self, arguments: &[&str]) -> String {
        let output = recipes(self.folder.path(), arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        self.hear(&format!("recipes {}", arguments.join(" ")), &said);
        String::from_utf8_lossy(&said).into_owned()
    }

    pub(super) fn hear(&self, who: &str, what: &[u8]) {
        self.heard
            .lock()
            .unwrap()
            .push((who.to_owned(), what.to_owned()));
    }

    /// Stops the server and starts it again: what was only in memory is gone.
    pub(super) fn restart(&mut self) {
        self.stop();
        (self.server, self.url) = serve(self.folder.path());
    }

    /// Stops the server in order.
    pub(super) fn stop(&mut self) {
        let pid = self.server.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self.server.wait().unwrap();
    }

    /// All that was said, and the log.
    pub(super) fn said(&self) -> Vec<(String, Vec<u8>)> {
        let mut said = self.heard.lock().unwrap().clone();
        let log = fs::read(self.folder.path().join("log")).unwrap();
        let text = String::from_utf8_lossy(&log);
        assert!(
            text.contains("calling a vendor"),
            "the log says little: {text}"
        );
        said.push(("the log".into(), log));
        said
    }

    /// All that the server left in its folder.
    pub(super) fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(self.folder.path().join("data")).unwrap();
        let files = files.map(|file| {
            let file = file.unwrap();
            let name = file.file_name().to_string_lossy().into_owned();
            (name, fs::read(file.path()).unwrap())
        });
        files.collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn recipes(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
    command.arg("--workspace").arg(folder).args(arguments);
    for name in [
        "RECIPES_ADDRESS",
        "RECIPES_WORKSPACE",
        "RECIPES_HALT",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command.env("RECIPES_ADMIN_TOKEN", ADMIN);
    command
}

fn serve(folder: &Path) -> (Child, String) {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let mut server = recipes(folder, &["serve", "--address", "127.0.0.1:0"])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let url = lines.map_while(Result::ok).find_map(|line| {
        Some(
            line.strip_prefix("listening at ")?
                .split(';')
                .next()?
                .to_owned(),
        )
    });
    (server, url.expect("the server listens"))
}

/// The forms in which a text is looked for, as bytes, all in small letters.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let in_query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let in_json = json!(text).to_string();
    let in_base64 = BASE64_STANDARD.encode(text);
    [
        text,
        &in_query,
        &in_query.replace('+', "%20"),
        in_json.trim_matches('"'),
        in_base64.trim_end_matches('='),
    ]
    .iter()
    .map(|form| form.to_lowercase().into_bytes())
    .collect()
}

/// Looks for planted texts in all of it; each place is told.
pub(super) fn look_for(planted: &[&str], said: &[(String, Vec<u8>)]) {
    let mut found = Vec::new();
    for (who, bytes) in said {
        let small = String::from_utf8_lossy(bytes).to_lowercase();
        for text in planted {
            for form in forms(text) {
                let form = String::from_utf8(form).unwrap();
                if let Some(at) = small.find(&form) {
                    let from = small.floor_char_boundary(at.saturating_sub(160));
                    let to = small.ceil_char_boundary((at + form.len() + 40).min(small.len()));
                    found.push(format!(
                        "{text} ({form}) said by {who}: ...{}...",
                        &small[from..to]
                    ));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} places\n{}",
        found.len(),
        found.join("\n")
    );
}

/// A vendor that repeats whatever it is told, in its answers' bodies, headers and addresses.
pub(super) async fn gossip(tokens: Value) -> String {
    let answer = move |request: Request| {
        let tokens = tokens.clone();
        async move { repeated(request, &tokens).await }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(answer))
            .await
            .unwrap();
    });
    url
}

async fn repeated(request: Request, tokens: &Value) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let heard = format!(
        "{} {:?} {}",
        parts.uri,
        parts.headers,
        String::from_utf8_lossy(&body)
    );
    let again = json!({
        "id": 7,
        "heard": heard,
        "loud": heard.to_uppercase(),
        "encoded": BASE64_STANDARD.encode(&heard),
        "address": url::form_urlencoded::byte_serialize(heard.as_bytes()).collect::<String>(),
        "said": serde_json::from_slice::<Value>(&body).unwrap_or_default(),
        "message": format!("I do not take {heard}"),
    });
    let said = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        (status, axum::Json(again.clone())).into_response()
    };
    match parts.uri.path() {
        "/token" => axum::Json(tokens.clone()).into_response(),
        "/refuse" => said(422),
        "/break" => said(500),
        "/redirect" => {
            let secret = parts.headers.get(header::AUTHORIZATION).cloned();
            let secret = secret.and_then(|value| value.to_str().ok().map(str::to_owned));
            let to = format!(
                "/elsewhere?token={}",
                secret.unwrap_or_default().replace(' ', "+")
            );
            let mut response = said(302);
            response
                .headers_mut()
                .insert(header::LOCATION, to.parse().unwrap());
            response
        }
        _ => said(200),
    }
}
