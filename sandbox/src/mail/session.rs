//! One connection of a mail client. In: its lines. Out: replies, and the mails that were taken.
//! Always true: each command is in the journal before it is obeyed, and a mail is kept before the
//! reply to its final dot is sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::Value;
use tokio_rustls::TlsAcceptor;

use super::PostOffice;
use super::command;
use super::lines::{Line, Lines};
use super::login::{self, Stage};
use super::reply::Reply;
use super::state::Protection;
use crate::faults::FaultKind;
use crate::gate::InFlight;
use crate::journal::{Entry, keep};
use crate::wire::connection::{Cut, Stream};

/// The longest command line, its end included: that of an answer to AUTH (RFC 4954).
const COMMAND_BYTES_MAX: usize = 12_288;

/// The longest line of a mail, its end included (RFC 5321, 4.5.3.1.6).
const TEXT_LINE_BYTES_MAX: usize = 1_000;

/// How long the server waits for a client that says nothing, in real time (RFC 5321, 4.5.3.2.7).
const PATIENCE: Duration = Duration::from_secs(300);

/// What the server does after its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    Command,
    Data,
    /// An answer of a client that signs in.
    Login(Stage),
    Encryption,
    Close,
}

/// A mail that was begun.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) from: String,
    pub(super) to: Vec<String>,
}

/// What is known of a client.
pub(super) struct Session {
    pub(super) office: Arc<PostOffice>,
    lines: Lines,
    cut: Arc<Cut>,
    pub(super) tls: Protection,
    pub(super) client: Option<String>,
    /// The client asked for extensions.
    pub(super) is_extended: bool,
    pub(super) user: Option<String>,
    pub(super) envelope: Option<Envelope>,
}

/// Serves a client until it is gone; with `tls` as `Implicit`, nothing is said in the open.
pub(super) async fn run(office: Arc<PostOffice>, stream: Stream, tls: Protection) {
    let mut session = Session {
        cut: stream.cut(),
        lines: Lines::of(Box::new(stream)),
        office,
        tls: Protection::None,
        client: None,
        is_extended: false,
        user: None,
        envelope: None,
    };
    if let Err(error) = session.talk(tls).await {
        tracing::debug!(%error, "a mail client is gone");
    }
}

impl Session {
    async fn talk(&mut self, tls: Protection) -> io::Result<()> {
        if tls == Protection::Implicit {
            self.encrypt(tls).await?;
        }
        let greeting = Reply::new(220, "mail.sandbox ESMTP");
        let (verb, about) = ("CONNECT".to_owned(), "/".to_owned());
        let mut next = self
            .answer(verb, about, Bytes::new(), |_| (greeting, Next::Command))
            .await?;
        loop {
            next = match next {
                Next::Command => self.command().await?,
                Next::Data => self.data().await?,
                Next::Login(stage) => self.login(stage).await?,
                Next::Encryption => {
                    self.encrypt(Protection::Starttls).await?;
                    Next::Command
                }
                Next::Close => return self.lines.close().await,
            };
        }
    }

    /// Reads one command and obeys it.
    async fn command(&mut self) -> io::Result<Next> {
        let Some(line) = self.line(COMMAND_BYTES_MAX).await? else {
            return Ok(Next::Close);
        };
        let text = String::from_utf8_lossy(&line.bytes).into_owned();
        let command = if line.is_too_long {
            Err(Reply::new(500, "5.5.6 the line is too long"))
        } else if !line.is_whole {
            Err(Reply::new(500, "5.5.2 a line ends with CR and LF"))
        } else {
            command::read(&text)
        };
        let (verb, about) = command::label(&text, &command);
        self.answer(verb, about, Bytes::new(), |session| session.obey(command))
            .await
    }

    /// Goes on encrypted, and forgets all that was said in the open.
    async fn encrypt(&mut self, tls: Protection) -> io::Result<()> {
        let nothing = Lines::of(Box::new(tokio::io::empty()));
        let open = std::mem::replace(&mut self.lines, nothing).into_channel();
        let config = self.office.tls().map_err(io::Error::other)?;
        let channel = TlsAcceptor::from(config).accept(open).await?;
        self.lines = Lines::of(Box::new(channel));
        self.tls = tls;
        self.client = None;
        self.user = None;
        self.envelope = None;
        Ok(())
    }

    /// Reads an answer of a client that signs in.
    async fn login(&mut self, stage: Stage) -> io::Result<Next> {
        let Some(line) = self.line(COMMAND_BYTES_MAX).await? else {
            return Ok(Next::Close);
        };
        let (verb, about) = ("ANSWER".to_owned(), "/".to_owned());
        let answer = String::from_utf8_lossy(&line.bytes).into_owned();
        let step = login::go_on(stage, &answer);
        self.answer(verb, about, Bytes::new(), |session| session.admit(step))
            .await
    }

    /// Reads the text of a mail up to its final dot, and keeps it.
    async fn data(&mut self) -> io::Result<Next> {
        let size_max = self.office.with(|state| state.quirks.size_max);
        let (mut raw, mut flaw): (Vec<u8>, Option<Reply>) = (Vec::new(), None);
        let mut size = 0_u64;
        let mut began_well = true;
        loop {
            let Some(line) = self.line(TEXT_LINE_BYTES_MAX + 1).await? else {
                // A mail without its final dot is none.
                return Ok(Next::Close);
            };
            if line.bytes == b"." && line.is_whole && began_well {
                break;
            }
            began_well = line.ends_well;
            let is_stuffed = line.bytes.starts_with(b".");
            let text = line.bytes.strip_prefix(b".").unwrap_or(&line.bytes);
            size += text.len() as u64 + 2;
            if line.is_too_long || text.len() + 2 > TEXT_LINE_BYTES_MAX {
                flaw = Some(Reply::new(500, "5.5.6 a line of the mail is too long"));
            } else if !line.is_whole {
                flaw = Some(Reply::new(550, "5.6.0 lines of a mail end with CR and LF"));
            } else if is_stuffed && text.is_empty() {
                flaw = Some(Reply::new(550, "5.6.0 a lone dot within the mail"));
            } else if size > size_max {
                flaw = Some(Reply::new(552, "5.3.4 the mail is too long"));
            }
            if flaw.is_none() {
                raw.extend_from_slice(text);
                raw.extend_from_slice(b"\r\n");
            }
        }
        let shown = keep(&Bytes::from(raw.clone()));
        let work = |session: &mut Self| match flaw {
            Some(flaw) => {
                session.envelope = None;
                (flaw, Next::Command)
            }
            None => (session.keep(raw), Next::Command),
        };
        self.answer("DOT".to_owned(), "/".to_owned(), shown, work)
            .await
    }

    /// The next line; `None` when the client is gone, or has said nothing for too long.
    async fn line(&mut self, longest: usize) -> io::Result<Option<Line>> {
        if let Ok(line) = tokio::time::timeout(PATIENCE, self.lines.next(longest)).await {
            return line;
        }
        let bye = Reply::new(421, "4.4.2 nothing was said for too long");
        self.lines.write(&bye.written()).await?;
        Ok(None)
    }

    /// Writes a command down, obeys it as the fault orders allow, and replies.
    async fn answer(
        &mut self,
        method: String,
        path: String,
        body: Bytes,
        work: impl FnOnce(&mut Self) -> (Reply, Next),
    ) -> io::Result<Next> {
        let gate = Arc::clone(&self.office.gate);
        let in_flight = InFlight::enter(&gate);
        gate.arrived();
        let (fault, hold) = gate.faults.strike(&method, &path);
        let name = fault.as_ref().map(FaultKind::name);
        let seq = gate.journal.arrive(Entry {
            seq: 0,
            at: gate.clock.now(),
            method: method.clone(),
            path,
            query: String::new(),
            headers: HeaderMap::new(),
            body,
            status: None,
            fault: name,
        });
        if fault == Some(FaultKind::HangAfter) {
            // The journal tells when the work is done, for whoever waits for that.
            let (reply, _) = work(self);
            gate.journal.answered(seq, Some(reply.code), name);
            return std::future::pending().await;
        }
        if let Some(mut hold) = hold {
            hold.over().await;
        }
        let done = self.apply(fault, work).await;
        drop(in_flight);
        let status = done.as_ref().map(|(reply, ..)| reply.code);
        gate.journal.answered(seq, status, name);
        let Some((reply, next, is_whole)) = done else {
            self.cut.now();
            // The error of a connection that was cut.
            return self.lines.write("").await.map(|()| Next::Close);
        };
        let mut written = reply.written();
        if !is_whole {
            written.truncate(written.len() / 2);
            self.lines.write(&written).await?;
            return Ok(Next::Close);
        }
        self.lines.write(&written).await?;
        // Who is refused at the door is not listened to.
        let is_refused = method == "CONNECT" && reply.code >= 400;
        if reply.is_last() || is_refused {
            return Ok(Next::Close);
        }
        Ok(next)
    }

    /// Does the work, or not, as the fault says; the reply, what follows it, and whether all of it
    /// is sent. `None` when the connection is to be cut.
    async fn apply(
        &mut self,
        fault: Option<FaultKind>,
        work: impl FnOnce(&mut Self) -> (Reply, Next),
    ) -> Option<(Reply, Next, bool)> {
        let ordered = |code: u16, body: &Value| {
            let reply = Reply::ordered(code, body.as_str().unwrap_or_default());
            Some((reply, Next::Command, true))
        };
        let whole = |(reply, next): (Reply, Next)| Some((reply, next, true));
        match fault {
            // It was held back before it came here.
            None | Some(FaultKind::Held) => whole(work(self)),
            Some(FaultKind::ResetBefore) => None,
            Some(FaultKind::ResetAfter) => {
                work(self);
                None
            }
            Some(FaultKind::Status { code, body, .. }) => ordered(code, &body),
            Some(FaultKind::AnswerAfter { code, body, .. }) => {
                work(self);
                ordered(code, &body)
            }
            Some(FaultKind::Slow { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                whole(work(self))
            }
            Some(FaultKind::Late { ms }) => {
                let done = work(self);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                whole(done)
            }
            Some(FaultKind::Truncated) => {
                let (reply, next) = work(self);
                Some((reply, next, false))
            }
            Some(FaultKind::Hang | FaultKind::HangAfter) => std::future::pending().await,
        }
    }
}
