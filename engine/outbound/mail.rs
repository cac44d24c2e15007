//! Mails through the connection's own server.
//!
//! In: the input of `mail.send`. Out: whether it was sent; `once` holds back what was sent before.
//! Always true: every try of one call has the same Message-ID, so that a repeated mail is known.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::account::Prepared;
use super::address::{PrivateHosts, Reach};
use super::delivery::{Delivered, NotDelivered, Server};
use super::letter::{self, Letter};
use super::notice::{Claim, Notice, Tried};
use super::perform::Stopped;
use super::scrub::Secrets;
use super::{Outbound, guard};
use crate::clock::{Clock, Moment};
use crate::connector::Trouble;
use crate::data::Value;
use crate::interpret::Called;
use crate::step::{again, refused};

/// How long, beyond its timeout, a mail is taken to be under way: then whoever sends it is gone.
const SENDING_OVER: Duration = Duration::from_secs(60);

/// How long a server, in real time, may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

impl Outbound {
    /// Sends a mail, unless `once` says that it was sent before.
    pub(super) async fn mail(
        &self,
        prepared: &Prepared,
        key: &str,
        timeout: Duration,
        secrets: &mut Secrets,
    ) -> Result<Called, Stopped> {
        secrets.add_mail_login(prepared);
        let now = self.clock.now();
        let letter = letter::compose(&prepared.input)?;
        let from = sender(prepared)?;
        let server = Server::of(prepared, from.email.domain())?;
        let notice = Notice::of(&prepared.input, &letter, key)?;
        if let Some(notice) = &notice {
            let until = now.after(self.clock.span(timeout.saturating_add(SENDING_OVER)));
            match self.claim(notice, now, until).await? {
                Claim::Send => {}
                Claim::SentBefore => return Ok(done(true)),
                Claim::HeldBack => return Ok(done(false)),
                Claim::Later(again) => return Err(Stopped::Later(again)),
                Claim::Failed(trouble) => return Ok(refused(trouble)),
            }
        }
        let delivering = async {
            // Written by whoever sends it, not by the many who are held back.
            let message = message(&letter, from, key, now).map_err(NotDelivered::ForGood)?;
            self.deliver(prepared, &server, &message).await
        };
        let sent = Clock::within(timeout, delivering).await.unwrap_or_else(|| {
            let why = format!("{} did not take the mail within {timeout:?}", server.host);
            Err(NotDelivered::Unclear(Trouble::new("timed_out", why)))
        });
        if let Some(notice) = notice {
            let tried = match &sent {
                Ok(_) => Tried::Sent,
                Err(NotDelivered::Unclear(trouble)) => Tried::Unclear(trouble),
                Err(NotDelivered::ForGood(trouble)) => Tried::Refused(trouble),
                Err(NotDelivered::ForNow(trouble)) => Tried::Failed(trouble),
            };
            self.tried(notice, tried).await;
        }
        match sent {
            Ok(delivered) => {
                let output = taken(&delivered);
                // Whether the server answers to that is of no matter any more.
                let _ = Clock::within(GOODBYE, delivered.goodbye()).await;
                Ok(output)
            }
            Err(NotDelivered::ForGood(trouble)) => Ok(refused(trouble)),
            Err(NotDelivered::ForNow(trouble) | NotDelivered::Unclear(trouble)) => {
                Ok(again(trouble))
            }
        }
    }

    async fn deliver(
        &self,
        prepared: &Prepared,
        server: &Server,
        message: &Message,
    ) -> Result<Delivered, NotDelivered> {
        let allowed = self.clients.allowed();
        let addresses = addresses(&server.host, server.port, prepared.reach(), allowed).await?;
        server.take(&addresses, message).await
    }
}

/// Who a connection's mails are from.
pub(super) fn sender(prepared: &Prepared) -> Result<Mailbox, Trouble> {
    let from = prepared.resolved.value.get("from").and_then(Value::as_str);
    mailbox(from.unwrap_or_default(), "the sender")
}

/// The server's addresses, which are then connected to as they were checked.
pub(super) async fn addresses(
    host: &str,
    port: u16,
    reach: Reach,
    allowed: &PrivateHosts,
) -> Result<Vec<SocketAddr>, NotDelivered> {
    let found = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found,
        Err(why) => {
            let why = format!("{host} cannot be found: {why}");
            return Err(NotDelivered::ForNow(Trouble::new("unreachable", why)));
        }
    };
    let not_allowed = |private: guard::PrivateAddress| {
        NotDelivered::ForGood(Trouble::new("address_not_allowed", private.to_string()))
    };
    let mut only = guard::only_allowed(allowed, host, found, reach).map_err(not_allowed)?;
    // Servers that listen on one family only mostly listen on the older one.
    only.sort_by_key(SocketAddr::is_ipv6);
    if only.is_empty() {
        let why = format!("{host} cannot be found: the name has no address");
        return Err(NotDelivered::ForNow(Trouble::new("unreachable", why)));
    }
    Ok(only)
}

/// What stands in a mail server's name that belongs elsewhere, and where.
pub(super) fn more_than_a_host(host: &str) -> Option<String> {
    if host.contains('/') {
        return Some(format!(
            "`host` is the name of the mail server alone, such as smtp.example.com, not `{host}`"
        ));
    }
    let (name, port) = host.split_once(':')?;
    // An address of the newer kind has several colons.
    let is_port = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    is_port.then(|| {
        format!(
            "`host` is the name of the mail server alone: write `host: {name}` and `port: {port}`, not \
             `{host}`"
        )
    })
}

fn message(letter: &Letter, from: Mailbox, key: &str, now: Moment) -> Result<Message, Trouble> {
    let domain = from.email.domain().to_owned();
    let micros = u64::try_from(now.0).unwrap_or(0);
    let mut builder = Message::builder()
        .from(from)
        .subject(letter.subject.as_str())
        .message_id(Some(format!("<{key}@{domain}>")))
        .date(std::time::UNIX_EPOCH + Duration::from_micros(micros));
    for to in &letter.to {
        builder = builder.to(mailbox(to, "`to`")?);
    }
    let plain = SinglePart::plain(letter.text.clone());
    let broken = |why: lettre::error::Error| {
        Trouble::new(
            "invalid_request",
            format!("the mail cannot be written: {why}"),
        )
    };
    if letter.html.is_none() && letter.attachment.is_none() {
        return builder.singlepart(plain).map_err(broken);
    }
    let mut parts = match &letter.html {
        Some(html) => MultiPart::mixed().multipart(
            MultiPart::alternative()
                .singlepart(plain)
                .singlepart(SinglePart::html(html.clone())),
        ),
        None => MultiPart::mixed().singlepart(plain),
    };
    if let Some((name, csv)) = &letter.attachment {
        let kind = ContentType::parse("text/csv; charset=utf-8")
            .map_err(|why| Trouble::new("internal", why.to_string()))?;
        parts = parts.singlepart(Attachment::new(name.clone()).body(csv.clone(), kind));
    }
    builder.multipart(parts).map_err(broken)
}

fn mailbox(text: &str, what: &str) -> Result<Mailbox, Trouble> {
    text.trim().parse().map_err(|_| {
        Trouble::new(
            "invalid_request",
            format!("{what}: `{text}` is not an e-mail address"),
        )
    })
}

/// What comes of a mail that the server took.
fn taken(delivered: &Delivered) -> Called {
    let mut output = serde_json::json!({ "sent": true });
    if !delivered.refused.is_empty() {
        let refused = delivered
            .refused
            .iter()
            .map(|(to, why)| serde_json::json!({ "address": to.to_string(), "reason": why }));
        output["refused"] = refused.collect();
    }
    Called::Done { output }
}

fn done(was_sent: bool) -> Called {
    Called::Done {
        output: serde_json::json!({ "sent": was_sent }),
    }
}
