//! Mails through the connection's own server.
//!
//! In: the input of `mail.send`. Out: whether it was sent; `once` holds back what was sent before.
//! Always true: every try of one call has the same Message-ID, so that a repeated mail is known; a
//! mail that was certainly not sent holds nothing back, and one of which nobody knows is sent again
//! by nobody but the call that tried.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::account::Prepared;
use super::address::{PrivateHosts, Reach};
use super::letter::{self, Letter};
use super::perform::Stopped;
use super::scrub::Secrets;
use super::{Outbound, guard};
use crate::clock::{Clock, Moment, parse_period};
use crate::connector::Trouble;
use crate::data::Value;
use crate::interpret::Called;
use crate::step::{again, refused};
use crate::store::NoticeClaim;

/// How long `once` holds back the same mail if nothing is said.
const ONCE_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// How long, beyond its timeout, a mail is taken to be under way: then whoever sends it is gone.
const SENDING_OVER: Duration = Duration::from_secs(60);

/// How soon a mail is tried again that another job is about to send.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Outbound {
    /// Sends a mail, unless `once` says that it was sent before.
    pub(super) async fn mail(
        &self,
        prepared: &Prepared,
        key: &str,
        timeout: Duration,
        secrets: &mut Secrets,
    ) -> Result<Called, Stopped> {
        if let (Some(username), Some(password)) =
            (field(prepared, "username"), field(prepared, "password"))
        {
            // As it is sent in one way of signing in to a mail server.
            secrets.add(&format!("\0{username}\0{password}"));
        }
        let now = self.clock.now();
        let letter = letter::compose(&prepared.input)?;
        let message = message(&letter, prepared, key, now)?;
        let once = once(&prepared.input)?;
        if let Some((notice, _)) = &once {
            let until = now.after(self.clock.span(timeout.saturating_add(SENDING_OVER)));
            let holder = key.to_owned();
            let claim = self.ledger.claim_notice(notice.clone(), holder, now, until);
            match claim.await? {
                NoticeClaim::Granted => {}
                NoticeClaim::Sent => return Ok(done(false)),
                // Whether this one is needed is known once the other one is through.
                NoticeClaim::UnderWay => {
                    return Err(Stopped::Later(now.after(self.clock.span(LOOK_AGAIN))));
                }
            }
        }
        let allowed = self.clients.allowed();
        let sent = Clock::within(timeout, deliver(prepared, message, allowed)).await;
        if let Some((notice, within)) = once {
            let holder = key.to_owned();
            let kept = match sent {
                Some(Ok(())) => {
                    self.ledger
                        .confirm_notice(notice, holder, now.after(within))
                        .await
                }
                // The server may have it: until the claim ends, the same mail is sent by this call
                // alone, which is tried again, and not by another.
                Some(Err(NotDelivered::InDoubt(_))) | None => Ok(()),
                Some(Err(_)) => self.ledger.release_notice(notice, holder).await,
            };
            if let Err(error) = kept {
                // The claim ends by itself.
                tracing::warn!("{error}");
            }
        }
        match sent {
            Some(Ok(())) => Ok(done(true)),
            Some(Err(NotDelivered::ForGood(trouble))) => Ok(refused(trouble)),
            Some(Err(NotDelivered::ForNow(trouble) | NotDelivered::InDoubt(trouble))) => {
                Ok(again(trouble))
            }
            None => Ok(again(Trouble::new(
                "timed_out",
                format!("the mail server did not take the mail within {timeout:?}"),
            ))),
        }
    }
}

/// Why a mail was not delivered.
enum NotDelivered {
    ForGood(Trouble),
    ForNow(Trouble),
    /// The server did not come to say whether it took it.
    InDoubt(Trouble),
}

async fn deliver(
    prepared: &Prepared,
    message: Message,
    allowed: &PrivateHosts,
) -> Result<(), NotDelivered> {
    let host = field(prepared, "host").unwrap_or_default();
    let encryption = field(prepared, "encryption").unwrap_or_default();
    let usual_port = match encryption.as_str() {
        "tls" => 465,
        "starttls" => 587,
        _ => 25,
    };
    let port = prepared
        .resolved
        .value
        .get("port")
        .and_then(Value::as_u64)
        .and_then(|port| u16::try_from(port).ok())
        .unwrap_or(usual_port);
    let address = address(&host, port, prepared.reach(), allowed).await?;
    let tls = match encryption.as_str() {
        "none" => Tls::None,
        word => {
            let parameters = TlsParameters::new(host.clone()).map_err(|why| {
                NotDelivered::ForGood(Trouble::new("mail_failed", format!("no encryption: {why}")))
            })?;
            if word == "tls" {
                Tls::Wrapper(parameters)
            } else {
                Tls::Required(parameters)
            }
        }
    };
    let mut builder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
            .port(port)
            .tls(tls);
    if let (Some(username), Some(password)) =
        (field(prepared, "username"), field(prepared, "password"))
    {
        builder = builder.credentials(Credentials::new(username, password));
    }
    match builder.build().send(message).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let trouble = Trouble::new(
                "mail_failed",
                format!("{host} did not take the mail: {error}"),
            );
            Err(match error.is_permanent() {
                true => NotDelivered::ForGood(trouble),
                false if error.is_transient() || was_refused(&error) => {
                    NotDelivered::ForNow(trouble)
                }
                false => NotDelivered::InDoubt(trouble),
            })
        }
    }
}

/// Whether nobody listens there, so that nothing was said at all.
fn was_refused(error: &dyn std::error::Error) -> bool {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let mut causes = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused)
}

/// The server's address, which is then connected to as it was checked.
async fn address(
    host: &str,
    port: u16,
    reach: Reach,
    allowed: &PrivateHosts,
) -> Result<SocketAddr, NotDelivered> {
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
    only.first().copied().ok_or_else(|| {
        let why = format!("{host} cannot be found: the name has no address");
        NotDelivered::ForNow(Trouble::new("unreachable", why))
    })
}

fn message(
    letter: &Letter,
    prepared: &Prepared,
    key: &str,
    now: Moment,
) -> Result<Message, Trouble> {
    let from = mailbox(&field(prepared, "from").unwrap_or_default(), "the sender")?;
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

/// The key of a mail that is sent once, and for how long.
fn once(input: &Value) -> Result<Option<(String, Duration)>, Trouble> {
    let Some(once) = input.get("once").filter(|once| !once.is_null()) else {
        return Ok(None);
    };
    let key = once.get("key").and_then(Value::as_str).unwrap_or_default();
    if key.is_empty() {
        return Err(Trouble::new("invalid_request", "`once` needs a `key`"));
    }
    let within = match once.get("within").and_then(Value::as_str) {
        Some(text) => parse_period(text).map_err(|why| Trouble::new("invalid_request", why))?,
        None => ONCE_WITHIN,
    };
    Ok(Some((key.to_owned(), within)))
}

fn field(prepared: &Prepared, name: &str) -> Option<String> {
    prepared
        .resolved
        .value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn done(was_sent: bool) -> Called {
    Called::Done {
        output: serde_json::json!({ "sent": was_sent }),
    }
}
