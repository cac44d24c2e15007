//! Senders of requests that take as little of the machine as they can: the server shares it.
//!
//! In: an address and a body for each request. Out: how many were answered, and when they were sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clock::{Clock, Moment};

/// One connection that is kept for all requests of a sender.
pub(super) struct Sender {
    stream: TcpStream,
    head: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Sender {
    /// Connects to `host:port`, for requests to one path.
    pub(super) async fn connect(address: &str, path: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        );
        Ok(Self {
            stream,
            head,
            request: Vec::with_capacity(1024),
            answer: Vec::with_capacity(1024),
        })
    }

    /// Sends a body and waits for the whole answer: its status and its body.
    pub(super) async fn post(&mut self, body: &str) -> anyhow::Result<(u16, &[u8])> {
        self.request.clear();
        self.request.extend_from_slice(self.head.as_bytes());
        let length = format!("Content-Length: {}\r\n\r\n", body.len());
        self.request.extend_from_slice(length.as_bytes());
        self.request.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some((status, start, length)) = parse(&self.answer)?
                && self.answer.len() >= start + length
            {
                return Ok((status, &self.answer[start..start + length]));
            }
        }
    }
}

/// Status, start and length of the body, once the head is whole.
fn parse(answer: &[u8]) -> anyhow::Result<Option<(u16, usize, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&answer[..end]).context("an answer is not HTTP")?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.context("an answer has no status")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    Ok(Some((status, end + 4, length.unwrap_or(0))))
}

/// Senders that each send again as soon as they are answered.
pub(super) struct Crowd {
    answered: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    is_held: Arc<AtomicBool>,
    tasks: tokio::task::JoinSet<anyhow::Result<()>>,
}

impl Crowd {
    /// Lets senders loose. `body` makes the body of the n-th request of all.
    pub(super) async fn start(
        address: &str,
        path: &str,
        senders: u16,
        body: fn(u64) -> String,
    ) -> anyhow::Result<Self> {
        let mut crowd = Self {
            answered: Arc::default(),
            refused: Arc::default(),
            is_held: Arc::default(),
            tasks: tokio::task::JoinSet::new(),
        };
        let numbers = Arc::new(AtomicU64::new(0));
        for _ in 0..senders {
            let mut sender = Sender::connect(address, path).await?;
            let (answered, refused) = (crowd.answered.clone(), crowd.refused.clone());
            let (numbers, is_held) = (numbers.clone(), crowd.is_held.clone());
            crowd.tasks.spawn(async move {
                loop {
                    while is_held.load(Ordering::Relaxed) {
                        Clock::rest(Duration::from_millis(2)).await;
                    }
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let (status, _) = sender.post(&body(number)).await?;
                    let counter = if status == 202 { &answered } else { &refused };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Ok(crowd)
    }

    /// How many requests were answered with 202 so far.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Holds the senders back, or lets them go on: no server is asked for more than it can do.
    pub(super) fn hold_while(&self, is_full: impl FnOnce() -> bool) {
        self.is_held.store(is_full(), Ordering::Relaxed);
    }

    /// Sends everyone home; a refusal or a broken connection is an error.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended??;
        }
        self.tasks.shutdown().await;
        match self.refused.load(Ordering::Relaxed) {
            0 => Ok(()),
            count => bail!("{count} requests were refused"),
        }
    }
}

/// One request that was answered, with the job that it became.
pub(super) struct Sent {
    /// When it was sent.
    pub(super) at: Moment,
    /// How long the answer took.
    pub(super) answered_after: Duration,
    /// The answer.
    pub(super) answer: Vec<u8>,
}

/// Sends at a steady rate, whether or not earlier requests are answered yet.
pub(super) async fn steady(
    address: &str,
    path: &str,
    rate: f64,
    length: Duration,
    body: fn(u64) -> String,
) -> anyhow::Result<Vec<Sent>> {
    const SENDERS: u32 = 32;
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..SENDERS {
        let mut sender = Sender::connect(address, path).await?;
        tasks.spawn(async move {
            let mut sent = Vec::new();
            for round in 0.. {
                let number = u64::from(round) * u64::from(SENDERS) + u64::from(index);
                let due = Duration::from_secs_f64(f64::from(round * SENDERS + index) / rate);
                if due > length {
                    break;
                }
                Clock::rest(due.saturating_sub(begin.elapsed())).await;
                let (at, sent_at) = (Clock::real(1.0).now(), Instant::now());
                let (status, answer) = sender.post(&body(number)).await?;
                if status != 202 {
                    bail!("a request was refused with {status}");
                }
                sent.push(Sent {
                    at,
                    answered_after: sent_at.elapsed(),
                    answer: answer.to_vec(),
                });
            }
            Ok(sent)
        });
    }
    let mut all = Vec::new();
    while let Some(sent) = tasks.join_next().await {
        all.extend(sent??);
    }
    Ok(all)
}
