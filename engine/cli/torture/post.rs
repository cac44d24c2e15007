//! A mail server that keeps nothing but which mails came.
//!
//! In: mails over SMTP. Out: by subject, the distinct mails and how many came in all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Mails by subject: the `Message-ID`s they had, and how many came.
pub(super) type Mails = BTreeMap<String, (BTreeSet<String>, usize)>;

/// A running mail server; it ends with its value.
pub(super) struct Post {
    /// Its port on this machine.
    pub(super) port: u16,
    mails: Arc<Mutex<Mails>>,
    _tasks: JoinSet<()>,
}

impl Post {
    pub(super) async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("no port for the mail server")?;
        let port = listener.local_addr()?.port();
        let mails = Arc::<Mutex<Mails>>::default();
        let mut tasks = JoinSet::new();
        let kept = mails.clone();
        tasks.spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                talks.spawn(talk(stream, kept.clone()));
                while talks.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            port,
            mails,
            _tasks: tasks,
        })
    }

    /// What came so far.
    pub(super) fn mails(&self) -> Mails {
        lock(&self.mails).clone()
    }
}

fn lock(mails: &Mutex<Mails>) -> std::sync::MutexGuard<'_, Mails> {
    mails.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the mails of one connection; who hangs up is gone.
async fn talk(stream: TcpStream, mails: Arc<Mutex<Mails>>) {
    let mut stream = BufReader::new(stream);
    let _ = stream.write_all(b"220 here\r\n").await;
    let (mut mail, mut line, mut is_in_data) = (String::new(), String::new(), false);
    while stream
        .read_line(&mut line)
        .await
        .is_ok_and(|count| count > 0)
    {
        let said = std::mem::take(&mut line);
        let answer = if is_in_data {
            mail.push_str(&said);
            if said.trim_end() != "." {
                continue;
            }
            is_in_data = false;
            keep(&mails, &std::mem::take(&mut mail));
            "250 taken\r\n"
        } else if said.starts_with("DATA") {
            is_in_data = true;
            "354 go on\r\n"
        } else if said.starts_with("QUIT") {
            "221 bye\r\n"
        } else {
            "250 fine\r\n"
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn keep(mails: &Mutex<Mails>, mail: &str) {
    let header = |name: &str| {
        let mut lines = mail.lines().take_while(|line| !line.is_empty());
        let line = lines.find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    let mut mails = lock(mails);
    let (ids, count) = mails.entry(header("Subject:")).or_default();
    ids.insert(header("Message-ID:"));
    *count += 1;
}
