//! One connection of a mail client. In: its lines. Out: replies, and the mails that were taken.
//! Always true: each command is in the journal before it is obeyed, and a mail is kept before the
//! reply to its final dot is sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::Value;

use super::PostOffice;
use super::command::{self, Command};
use super::lines::{Line, Lines};
use super::reply::Reply;
use super::state::{Delivered, Protection};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Command,
    Data,
    Close,
}

/// A mail that was begun.
#[derive(Debug, Clone)]
struct Envelope {
    from: String,
    to: Vec<String>,
}

/// What is known of a client.
struct Session {
    office: Arc<PostOffice>,
    lines: Lines,
    cut: Arc<Cut>,
    tls: Protection,
    client: Option<String>,
    user: Option<String>,
    envelope: Option<Envelope>,
}

/// Serves a client until it is gone.
pub(super) async fn run(office: Arc<PostOffice>, stream: Stream) {
    let mut session = Session {
        cut: stream.cut(),
        lines: Lines::of(Box::new(stream)),
        office,
        tls: Protection::None,
        client: None,
        user: None,
        envelope: None,
    };
    if let Err(error) = session.talk().await {
        tracing::debug!(%error, "a mail client is gone");
    }
}

impl Session {
    async fn talk(&mut self) -> io::Result<()> {
        let greeting = Reply::new(220, "mail.sandbox ESMTP");
        let (verb, about) = ("CONNECT".to_owned(), "/".to_owned());
        let mut next = self
            .answer(verb, about, Bytes::new(), |_| (greeting, Next::Command))
            .await?;
        loop {
            next = match next {
                Next::Command => self.command().await?,
                Next::Data => self.data().await?,
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

    fn keep(&mut self, raw: Vec<u8>) -> Reply {
        let Some(envelope) = self.envelope.take() else {
            return self.out_of_order("MAIL comes first");
        };
        let id = self.office.take(Delivered {
            client: self.client.clone().unwrap_or_default(),
            from: envelope.from,
            to: envelope.to,
            tls: self.tls,
            user: self.user.clone(),
            raw,
        });
        Reply::new(250, &format!("2.0.0 taken as {id}"))
    }

    fn obey(&mut self, command: Result<Command, Reply>) -> (Reply, Next) {
        let reply = match command {
            Err(reply) => {
                self.office.with(|state| state.syntax_errors += 1);
                reply
            }
            Ok(Command::Ehlo(name)) => {
                let lines = self.greet(name);
                Reply::listing(250, lines)
            }
            Ok(Command::Helo(name)) => {
                let lines = self.greet(name);
                Reply::new(250, &lines[0])
            }
            Ok(Command::Mail { from, size }) => self.begin(from, size),
            Ok(Command::Rcpt(to)) => self.address(to),
            Ok(Command::Data) => return self.text(),
            Ok(Command::Rset) => {
                self.envelope = None;
                Reply::new(250, "2.0.0 forgotten")
            }
            Ok(Command::Noop) => Reply::new(250, "2.0.0 well"),
            Ok(Command::Help) => Reply::new(214, "2.0.0 see RFC 5321"),
            Ok(Command::Vrfy) => Reply::new(252, "2.5.2 send a mail and see"),
            Ok(Command::Quit) => Reply::new(221, "2.0.0 bye"),
            Ok(Command::StartTls | Command::Auth { .. }) => {
                Reply::new(502, "5.5.1 this command is not done here")
            }
        };
        (reply, Next::Command)
    }

    /// Who greets anew begins anew. The lines say what the server can do.
    fn greet(&mut self, name: String) -> Vec<String> {
        let size_max = self.office.with(|state| state.quirks.size_max);
        let lines = vec![
            format!("mail.sandbox greets {name}"),
            format!("SIZE {size_max}"),
            "8BITMIME".to_owned(),
            "PIPELINING".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
        ];
        self.client = Some(name);
        self.envelope = None;
        lines
    }

    fn begin(&mut self, from: String, size: Option<u64>) -> Reply {
        if self.client.is_none() {
            return self.out_of_order("EHLO comes first");
        }
        if self.envelope.is_some() {
            return self.out_of_order("a mail is begun already");
        }
        let quirks = self.office.with(|state| state.quirks.clone());
        if quirks.login_required && self.user.is_none() {
            return Reply::new(530, "5.7.0 sign in first");
        }
        if size.is_some_and(|size| size > quirks.size_max) {
            return Reply::new(552, "5.3.4 the mail is too long");
        }
        let to = Vec::new();
        self.envelope = Some(Envelope { from, to });
        Reply::new(250, "2.1.0 sender noted")
    }

    fn address(&mut self, to: String) -> Reply {
        let recipients_max = self.office.with(|state| state.quirks.recipients_max);
        let Some(envelope) = &mut self.envelope else {
            return self.out_of_order("MAIL comes first");
        };
        if envelope.to.len() >= recipients_max {
            return Reply::new(452, "4.5.3 too many recipients");
        }
        envelope.to.push(to);
        Reply::new(250, "2.1.5 recipient noted")
    }

    fn text(&mut self) -> (Reply, Next) {
        let reply = match &self.envelope {
            None => self.out_of_order("MAIL comes first"),
            Some(envelope) if envelope.to.is_empty() => {
                self.out_of_order("there is no recipient yet")
            }
            Some(_) => {
                let go_on = Reply::new(354, "go on, and end with a dot on a line of its own");
                return (go_on, Next::Data);
            }
        };
        (reply, Next::Command)
    }

    fn out_of_order(&self, why: &str) -> Reply {
        self.office.with(|state| state.sequence_errors += 1);
        Reply::new(503, &format!("5.5.1 {why}"))
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
        let fault = gate.faults.strike(&method, &path);
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
            None => whole(work(self)),
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
            Some(FaultKind::Hang) => std::future::pending().await,
            Some(FaultKind::HangAfter) => {
                work(self);
                std::future::pending().await
            }
        }
    }
}
