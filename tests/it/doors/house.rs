//! What the stories share: workspaces, a server inside the test, a vendor that can be led.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use recipe_engine::clock::{Clock, Moment};
use recipe_engine::server::{Engine, Listening};
use recipe_engine::settings::Settings;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::document;

/// The project file of every story.
const PROJECT: &str = "title: Stories\nversion: 1.0.0\n";

/// A workspace with these files; secrets stand in files, since the environment is shared.
pub(super) fn workspace(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "recipes/stories/project.yaml", PROJECT);
    write(folder.path(), "secret", "s3cret\n");
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

/// Writes a file, a while ago: nobody has to wait until it rests.
pub(super) fn write(folder: &Path, path: &str, text: &str) {
    let at = Clock::real(1.0).now().before(Duration::from_secs(2));
    write_at(folder, path, text, at);
}

/// Writes a file at this moment.
pub(super) fn write_at(folder: &Path, path: &str, text: &str, at: Moment) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    let since = Duration::from_micros(at.0.unsigned_abs());
    file.set_modified(SystemTime::UNIX_EPOCH + since).unwrap();
}

/// A server in this process.
pub(super) struct House {
    pub(super) folder: Arc<TempDir>,
    pub(super) engine: Engine,
    pub(super) listening: Listening,
    http: reqwest::Client,
}

impl House {
    /// Opens a workspace with these files and serves it.
    pub(super) async fn of(files: &[(&str, &str)]) -> Self {
        Self::open(Arc::new(workspace(files))).await
    }

    /// Opens a workspace that is there and serves it.
    pub(super) async fn open(folder: Arc<TempDir>) -> Self {
        let settings = Settings::private(folder.path());
        Self::with(folder, settings).await
    }

    /// Opens a workspace with these files and answers for it: jobs stay in line.
    pub(super) async fn at_rest(files: &[(&str, &str)]) -> Self {
        let folder = Arc::new(workspace(files));
        let settings = Settings::private(folder.path());
        let engine = Self::engine(settings).await;
        let listening = engine.answer().await.unwrap();
        Self::reached(folder, engine, listening)
    }

    /// Opens a workspace as these settings say and serves it.
    pub(super) async fn with(folder: Arc<TempDir>, settings: Settings) -> Self {
        let engine = Self::engine(settings).await;
        let listening = engine.serve().await.unwrap();
        Self::reached(folder, engine, listening)
    }

    async fn engine(settings: Settings) -> Engine {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Engine::open(settings).await.unwrap()
    }

    fn reached(folder: Arc<TempDir>, engine: Engine, listening: Listening) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            folder,
            engine,
            listening,
            http,
        }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.listening.url))
    }

    /// A request with the token, and its answer: status and JSON.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let token = self.listening.local_token.reveal();
        let request = self.request(method.clone(), path).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").cloned();
        let (status, body) = taken(answer).await;
        let kind = kind.as_ref().map_or("", |kind| kind.to_str().unwrap());
        document::check(&method, path, status, kind, &body);
        (status, body)
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Runs a recipe of the stories by hand; its job.
    pub(super) async fn run(&self, recipe: &str, wish: Value) -> String {
        let path = format!("/api/recipes/stories/{recipe}/run");
        let (status, answer) = self.post(&path, wish).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["jobs"][0].as_str().unwrap().to_owned()
    }

    /// A job, once it ended: what a person decided is taken up meanwhile.
    pub(super) async fn ended(&self, id: &str) -> Value {
        let path = format!("/api/jobs/{id}?wait=60s");
        let is_ended = |job: &Value| !job["ended_at"].is_null();
        self.until(&path, is_ended).await
    }

    /// A job, once it stands like this.
    pub(super) async fn standing(&self, id: &str, status: &str) -> Value {
        let path = format!("/api/jobs/{id}");
        self.until(&path, |job| job["status"] == status).await
    }

    /// What stands at an address, once it is so. However slow the machine is, it is waited for.
    pub(super) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (status, answer) = self.get(path).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
            if is_so(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A job, once it ended or needs a person.
    pub(super) async fn settled(&self, id: &str) -> Value {
        let (status, job) = self.get(&format!("/api/jobs/{id}?wait=60s")).await;
        assert_eq!(status, StatusCode::OK, "{job}");
        job
    }
}

/// An answer as status and JSON (null if it is none). Problems are problem objects.
pub(super) async fn taken(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_client_error() || status.is_server_error() {
        assert_eq!(kind.unwrap(), "application/problem+json", "{text}");
        assert_eq!(body["status"], status.as_u16());
        for member in ["type", "title", "code"] {
            assert!(body[member].is_string(), "{member}: {body}");
        }
    }
    (status, body)
}

/// A vendor whose every request waits for the story to answer it.
pub(super) struct Vendor {
    listener: TcpListener,
}

/// A request that the vendor got and has not answered.
pub(super) struct Asked {
    stream: TcpStream,
    pub(super) text: String,
}

impl Vendor {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    /// `connections.yaml` with the vendor as connection `http`.
    pub(super) fn connections(&self) -> String {
        format!(
            "connections:\n  http: {{ base_url: \"{}\", allow_private: true }}\n",
            self.url()
        )
    }

    /// The next request, read to its end.
    pub(super) async fn asked(&self) -> Asked {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let count = stream.read(&mut chunk).await.unwrap();
            bytes.extend_from_slice(&chunk[..count]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if count == 0 || is_whole(&text) {
                return Asked { stream, text };
            }
        }
    }
}

impl Asked {
    /// Answers with this JSON.
    pub(super) async fn answer(mut self, body: &str) {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(answer.as_bytes()).await.unwrap();
        self.stream.shutdown().await.unwrap();
    }

    /// Refuses it for good.
    pub(super) async fn refuse(self) {
        self.refuse_with("400 Bad Request").await;
    }

    /// Refuses it for good with this status.
    pub(super) async fn refuse_with(mut self, status: &str) {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        self.stream.write_all(answer.as_bytes()).await.unwrap();
        self.stream.shutdown().await.unwrap();
    }

    /// Breaks the connection without a word.
    pub(super) fn hang_up(self) {}
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    body.len() >= length.unwrap_or(0)
}
