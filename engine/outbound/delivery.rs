//! One mail, handed to the connection's server.
//!
//! In: where the server is, how to sign in, and a mail. Out: who was refused, or why nobody has it.
//! Always true: nothing is sent unencrypted where encryption was asked for; only what was refused
//! for good is not worth another try; what the server took is taken, however it says goodbye.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::{Address, Message};
use rustls::CertificateError;

use super::account::Prepared;
use super::client::chain;
use super::mail::more_than_a_host;
use crate::connector::Trouble;
use crate::data::Value;

/// The longest that is waited for a connection to one address.
const CONNECTING: Duration = Duration::from_secs(20);

/// The mail server of a connection.
pub(super) struct Server {
    /// The connection's name.
    connection: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    ca: Option<String>,
    pub(super) login: Option<Credentials>,
    hello: ClientId,
}

pub(super) enum Encryption {
    None,
    Starttls,
    Tls,
}

/// Why a mail was not delivered.
pub(super) enum NotDelivered {
    ForGood(Trouble),
    ForNow(Trouble),
    /// It broke off before the server said whether it has the mail.
    Unclear(Trouble),
}

/// A mail that the server took.
pub(super) struct Delivered {
    /// The recipients that it refused, each with what it said.
    pub(super) refused: Vec<(Address, String)>,
    connection: AsyncSmtpConnection,
}

impl Delivered {
    /// Says goodbye to the server, which has the mail whatever comes of that.
    pub(super) async fn goodbye(mut self) {
        self.connection.abort().await;
    }
}

impl Server {
    /// The server of a connection; the sender's domain is how it is greeted if nothing is said.
    pub(super) fn of(prepared: &Prepared, domain: &str) -> Result<Self, Trouble> {
        let value = &prepared.resolved.value;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let connection = prepared.connection.name.to_string();
        let login = match (text("username"), text("password")) {
            (Some(username), Some(password)) => Some(Credentials::new(username, password)),
            (None, None) => None,
            (has_name, _) => {
                let (has, lacks) = match has_name {
                    Some(_) => ("username", "password"),
                    None => ("password", "username"),
                };
                let why = format!("connection `{connection}` has a `{has}` but no `{lacks}`");
                return Err(Trouble::new("connection_incomplete", why));
            }
        };
        let (encryption, usual_port) = match text("encryption").as_deref() {
            Some("tls") => (Encryption::Tls, 465),
            Some("starttls") => (Encryption::Starttls, 587),
            _ => (Encryption::None, 25),
        };
        let port = value.get("port").and_then(Value::as_u64);
        let port = match port.map(u16::try_from) {
            None => usual_port,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                let why = format!("connection `{connection}`: `port` goes from 1 to 65535");
                return Err(Trouble::new("connection_incomplete", why));
            }
        };
        let host = text("host").unwrap_or_default();
        if let Some(why) = more_than_a_host(&host) {
            let why = format!("connection `{connection}`: {why}");
            return Err(Trouble::new("connection_incomplete", why));
        }
        Ok(Self {
            connection,
            host,
            port,
            encryption,
            ca: text("ca"),
            login,
            hello: ClientId::Domain(text("hello_name").unwrap_or_else(|| domain.to_owned())),
        })
    }

    /// Hands a mail over.
    pub(super) async fn take(
        &self,
        addresses: &[SocketAddr],
        message: &Message,
    ) -> Result<Delivered, NotDelivered> {
        let mut connection = self.connect(addresses).await?;
        self.sign_in(&mut connection).await?;
        let envelope = message.envelope();
        let has_others = envelope
            .from()
            .into_iter()
            .chain(envelope.to())
            .any(|address| {
                let text: &str = address.as_ref();
                !text.is_ascii()
            });
        let mut parameters = Vec::new();
        if has_others {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if has_others
            && !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
        {
            let why = "takes mail for addresses of plain ASCII only";
            return Err(self.for_good("recipient_refused", why));
        }
        let mail = Mail::new(envelope.from().cloned(), parameters);
        if let Err(error) = connection.command(mail).await {
            return Err(self.sender_refused(&error, envelope.from()));
        }
        let mut refused = Vec::new();
        for to in envelope.to() {
            match connection.command(Rcpt::new(to.clone(), Vec::new())).await {
                Ok(_) => {}
                Err(error) if error.is_permanent() => refused.push((to.clone(), said(&error))),
                Err(error) => {
                    let why = format!("does not take the mail for {to} now: {}", said(&error));
                    return Err(self.for_now(broken_or(&error, "mail_failed"), &why));
                }
            }
        }
        if refused.len() == envelope.to().len() {
            let each = refused.iter().map(|(to, why)| format!("{to} ({why})"));
            let each: Vec<String> = each.collect();
            let why = format!("takes no mail for {}", each.join(", "));
            return Err(self.for_good("recipient_refused", &why));
        }
        self.hand_over(&mut connection, message).await?;
        Ok(Delivered {
            refused,
            connection,
        })
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<(), NotDelivered> {
        if let Err(error) = connection.command(Data).await {
            return Err(self.mail_refused(&error));
        }
        match connection.message(&message.formatted()).await {
            Ok(_) => Ok(()),
            Err(error) if error.status().is_some() => Err(self.mail_refused(&error)),
            Err(error) => {
                let why = format!(
                    "broke off before it said whether it took the mail; it is sent again with the \
                     same Message-ID: {}",
                    said(&error)
                );
                let why = format!("{} {why}", self.host);
                Err(NotDelivered::Unclear(Trouble::new("connection_lost", why)))
            }
        }
    }

    /// Connects, is greeted, and encrypts the connection if that is asked for.
    pub(super) async fn connect(
        &self,
        addresses: &[SocketAddr],
    ) -> Result<AsyncSmtpConnection, NotDelivered> {
        let (first, later) = match self.encryption {
            Encryption::None => (None, None),
            Encryption::Starttls => (None, Some(self.tls()?)),
            Encryption::Tls => (Some(self.tls()?), None),
        };
        let waits = Some(CONNECTING);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(addresses, waits, &self.hello, first, None);
        let mut connection = connecting.await.map_err(|error| self.unreachable(&error))?;
        let Some(parameters) = later else {
            return Ok(connection);
        };
        if !connection.can_starttls() {
            let why = "does not offer STARTTLS. Ask its operator: with `encryption: tls` (port 465) \
                       the connection is encrypted from the beginning";
            return Err(self.for_good("tls_failed", why));
        }
        let encrypted = connection.starttls(parameters, &self.hello).await;
        encrypted.map_err(|error| self.unreachable(&error))?;
        Ok(connection)
    }

    fn tls(&self) -> Result<TlsParameters, NotDelivered> {
        let broken = |why: String| {
            let why = format!("connection `{}`: {why}", self.connection);
            NotDelivered::ForGood(Trouble::new("connection_incomplete", why))
        };
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(pem) = &self.ca {
            let own = Certificate::from_pem(pem.as_bytes())
                .ok()
                .filter(|_| pem.contains("BEGIN CERTIFICATE"));
            let wrong = "`ca` is no certificate; it must be PEM text that begins with \
                         `-----BEGIN CERTIFICATE-----`";
            builder = builder.add_root_certificate(own.ok_or_else(|| broken(wrong.to_owned()))?);
        }
        builder.build().map_err(|why| broken(chain(&why)))
    }

    pub(super) async fn sign_in(
        &self,
        connection: &mut AsyncSmtpConnection,
    ) -> Result<(), NotDelivered> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let info = connection.server_info();
        if info.get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            let why = match self.encryption {
                Encryption::None => {
                    "lets nobody sign in with a password over this connection. Leave `username` and \
                     `password` out, or encrypt it (`encryption: starttls`)"
                }
                _ => {
                    "lets nobody sign in with a password (PLAIN, LOGIN). Leave `username` and \
                     `password` out, or have it allowed there"
                }
            };
            return Err(self.for_good("sign_in_failed", why));
        }
        let Err(error) = connection.auth(DEFAULT_MECHANISMS, login).await else {
            return Ok(());
        };
        if error.is_permanent() {
            let why = format!(
                "refuses the user name or password ({}): check `username` and `password` of \
                 connection `{}`; some servers want a password made for programs",
                said(&error),
                self.connection
            );
            return Err(self.for_good("sign_in_failed", &why));
        }
        let why = format!("lets nobody sign in now: {}", said(&error));
        Err(self.for_now(broken_or(&error, "mail_failed"), &why))
    }

    /// Why there is no connection, or none that can be trusted.
    fn unreachable(&self, error: &Error) -> NotDelivered {
        if let Some(why) = untrusted(error) {
            return self.for_good("tls_failed", &why);
        }
        if error.is_permanent() {
            let why = format!("takes no mail from this machine: {}", said(error));
            return self.for_good("mail_failed", &why);
        }
        let why = match io_error(error).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => {
                format!("cannot be reached: nothing answers at port {}", self.port)
            }
            Some(io::ErrorKind::InvalidData) => {
                format!(
                    "cannot be spoken to encrypted: {}. Port {} may not be the one for this \
                     `encryption`",
                    said(error),
                    self.port
                )
            }
            _ if error.is_transient() => format!("takes no mail now: {}", said(error)),
            _ => format!("cannot be reached: {}", said(error)),
        };
        let code = if error.is_transient() {
            "mail_failed"
        } else {
            "unreachable"
        };
        self.for_now(code, &why)
    }

    pub(super) fn sender_refused(&self, error: &Error, from: Option<&Address>) -> NotDelivered {
        if !error.is_permanent() {
            return self.mail_refused(error);
        }
        let code = error.status().map(u16::from);
        if code == Some(530) {
            let why = match self.encryption {
                Encryption::None => "set `encryption`, or `username` and `password`",
                _ => "give `username` and `password`",
            };
            let why = format!(
                "takes mails of those only who sign in ({}): {why} of connection `{}`",
                said(error),
                self.connection
            );
            return self.for_good("sign_in_failed", &why);
        }
        let from = from.map(Address::to_string).unwrap_or_default();
        let why = format!("takes no mail from {from}: {}", said(error));
        self.for_good("mail_failed", &why)
    }

    fn mail_refused(&self, error: &Error) -> NotDelivered {
        if error.is_permanent() {
            let why = format!("refused the mail: {}", said(error));
            return self.for_good("mail_failed", &why);
        }
        let why = format!("does not take the mail now: {}", said(error));
        self.for_now(broken_or(error, "mail_failed"), &why)
    }

    fn for_good(&self, code: &str, why: &str) -> NotDelivered {
        NotDelivered::ForGood(Trouble::new(code, format!("{} {why}", self.host)))
    }

    fn for_now(&self, code: &str, why: &str) -> NotDelivered {
        NotDelivered::ForNow(Trouble::new(code, format!("{} {why}", self.host)))
    }
}

/// This code for what the server said, another one if it said nothing.
fn broken_or(error: &Error, code: &'static str) -> &'static str {
    match error.status() {
        Some(_) => code,
        None => "connection_lost",
    }
}

/// What the server said, or what broke, without the library's own words.
fn said(error: &Error) -> String {
    let source = std::error::Error::source(error);
    let why = source.map_or_else(|| error.to_string(), chain);
    match error.status() {
        Some(code) => format!("{code} {why}"),
        None => why,
    }
}

/// Why the server's certificate is not trusted, if that is it.
fn untrusted(error: &Error) -> Option<String> {
    let inner = io_error(error)?
        .get_ref()?
        .downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(why) = inner else {
        return None;
    };
    Some(match why {
        CertificateError::UnknownIssuer => {
            "shows a certificate of an authority that this machine does not know. If it is your own, \
             put the authority's certificate into `ca` of the connection"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("shows a certificate for another name: `host` must be a name in it ({why})")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("shows a certificate that has run out; its operator must renew it ({why})")
        }
        _ => format!("shows a certificate that is not trusted: {why}"),
    })
}

fn io_error(error: &Error) -> Option<&io::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = error.source();
    }
    None
}
