//! A tiny HTTP server that does what a test says, breaking off included.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a request was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// Method, path and query.
    pub(super) line: String,
    /// The headers, as sent.
    pub(super) head: String,
    /// The body.
    pub(super) body: String,
}

/// What the server does with a request.
pub(super) enum Answer {
    /// Answers: status, further header lines, body.
    Reply(u16, &'static str, String),
    /// Reads it and closes the connection.
    Close,
    /// Answers with less than it promised.
    Truncated,
    /// Reads it and never answers.
    Silence,
}

/// A server that runs until the test ends.
pub(super) struct Server {
    /// Its base URL.
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server; the answer may depend on the request and on how many came before.
    pub(super) async fn start(
        answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, journal) = (Arc::new(answer), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, answer.clone(), journal.clone()));
            }
        });
        Self { url, seen }
    }

    /// A server that gives the same answer to all.
    pub(super) async fn always(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_, _| Answer::Reply(status, "", body.clone())).await
    }

    /// The requests so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// The first lines of the requests so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

async fn talk(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&Seen, usize) -> Answer>,
    journal: Arc<Mutex<Vec<Seen>>>,
) {
    while let Some(seen) = read(&mut stream).await {
        let before = {
            let mut journal = journal.lock().expect("no panic");
            journal.push(seen.clone());
            journal.len() - 1
        };
        match answer(&seen, before) {
            Answer::Reply(status, headers, body) => {
                let head = format!(
                    "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{headers}\
                     Content-Length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
            Answer::Close => return,
            Answer::Truncated => {
                let head = "HTTP/1.1 200 -\r\nContent-Length: 1000\r\n\r\n{\"id\":";
                let _ = stream.write_all(head.as_bytes()).await;
                return;
            }
            Answer::Silence => std::future::pending::<()>().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&more[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let mut body = bytes[end..].to_vec();
    while body.len() < length {
        let mut more = [0; 4096];
        let count = stream.read(&mut more).await.ok()?;
        body.extend_from_slice(&more[..count]);
    }
    let line = head
        .lines()
        .next()?
        .trim_end_matches(" HTTP/1.1")
        .to_owned();
    Some(Seen {
        line,
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
