//! The program as a process of its own.
//!
//! Always true: a process that was started is gone when its value is; whoever waits for it hears
//! all that it said if it does not come.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::TIME_SCALE;
use super::vendors::{DOCEBO_SECRET, KEY, PASSWORD, Vendors, WEBHOOK_PASSWORD};

/// The admin's token, which the environment brings.
const TOKEN: &str = "kill-test-token";

/// How long a line is waited for before the test gives up; far more than it ever takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often unfinished jobs are asked for before the test gives up.
const LOOKS_MAX: usize = 5_000;

/// A running program.
pub(super) struct Engine {
    child: Mutex<Child>,
    url: String,
    lines: Receiver<String>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    /// Starts the program and returns once it listens.
    pub(super) fn start(vendors: &Vendors, halt: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
        command
            .args(["serve", "--address", "127.0.0.1:0", "--workspace"])
            .arg(&vendors.workspace)
            .env("RECIPES_ADMIN_TOKEN", TOKEN)
            .env("RECIPES_TIME_SCALE", TIME_SCALE.to_string())
            .env("RECIPES_TIME_SINCE", vendors.since.to_string())
            .env("RUST_LOG", "warn")
            .env("KILL_DOCEBO_SECRET", DOCEBO_SECRET)
            .env("KILL_PASSWORD", PASSWORD)
            .env("KILL_KEY", KEY)
            .env("KILL_WEBHOOK_PASSWORD", WEBHOOK_PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match halt {
            Some(halt) => command.env("RECIPES_HALT", halt),
            None => command.env_remove("RECIPES_HALT"),
        };
        let mut child = command.spawn().expect("the program starts");
        let (say, lines) = channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        listen(stdout, say.clone(), Arc::clone(&log));
        listen(stderr, say, Arc::clone(&log));
        let mut engine = Self {
            child: Mutex::new(child),
            url: String::new(),
            lines,
            log,
        };
        let line = engine.line_with("listening at ");
        let url = line
            .split("listening at ")
            .nth(1)
            .and_then(|rest| rest.split(';').next());
        engine.url = url.expect("an address").to_owned();
        engine
    }

    /// Returns once the program has said this.
    pub(super) fn until(&self, text: &str) {
        self.line_with(text);
    }

    /// Ends the program as a power cut would.
    pub(super) fn kill(self) {
        drop(self);
    }

    /// Where webhooks of a recipe go.
    pub(super) fn webhook(&self, recipe: &str) -> String {
        format!("{}/webhooks/{recipe}", self.url)
    }

    pub(super) fn put(&self, vendors: &Vendors, path: &str, body: &Value) {
        vendors.ask("PUT", &format!("{}{path}", self.url), Some(TOKEN), body);
    }

    pub(super) fn post(&self, vendors: &Vendors, path: &str) {
        vendors.ask(
            "POST",
            &format!("{}{path}", self.url),
            Some(TOKEN),
            &json!({}),
        );
    }

    /// Starts a job by hand; its name.
    pub(super) fn run(&self, vendors: &Vendors, recipe: &str) -> String {
        let url = format!("{}/api/recipes/{recipe}/run", self.url);
        let answer = vendors.ask("POST", &url, Some(TOKEN), &json!({}));
        answer["jobs"][0].as_str().expect("a job").to_owned()
    }

    pub(super) fn get(&self, vendors: &Vendors, path: &str) -> Value {
        vendors.ask(
            "GET",
            &format!("{}{path}", self.url),
            Some(TOKEN),
            &Value::Null,
        )
    }

    /// Returns once no job has anything left to do by itself, or once one needs a person: others
    /// may wait for it.
    pub(super) fn until_idle(&self, vendors: &Vendors) {
        for _ in 0..LOOKS_MAX {
            let stuck = self.get(vendors, "/api/jobs?status=needs_decision&limit=1");
            if stuck["jobs"][0].is_object() {
                return;
            }
            let open = self.get(vendors, "/api/jobs?status=queued,running,waiting&limit=1");
            let Some(id) = open["jobs"][0]["id"].as_str() else {
                return;
            };
            self.get(vendors, &format!("/api/jobs/{id}?wait=10s"));
        }
        panic!("jobs have not ended\n{}", self.log());
    }

    /// All jobs.
    pub(super) fn jobs(&self, vendors: &Vendors) -> Vec<Value> {
        let mut jobs = Vec::new();
        let mut page = Some("/api/jobs?limit=500".to_owned());
        while let Some(path) = page {
            let list = self.get(vendors, &path);
            jobs.extend(list["jobs"].as_array().cloned().unwrap_or_default());
            page = list["next"].as_str().map(str::to_owned);
        }
        jobs
    }

    /// All that the program has said.
    pub(super) fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().fold(String::new(), |mut all, line| {
            let _ = writeln!(all, "  {line}");
            all
        })
    }

    fn line_with(&self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(why) => panic!("`{text}` was never said ({why})\n{}", self.log()),
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // On Unix this is SIGKILL: the program gets no chance to tidy up.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Passes on what a pipe brings, line by line.
fn listen(pipe: impl Read + Send + 'static, say: Sender<String>, log: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.clone());
            if say.send(line).is_err() {
                return;
            }
        }
    });
}
