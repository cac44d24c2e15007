//! The check of a mail server: greeted as for a mail, and left before one is sent.
//!
//! In: a connection. Out: what was checked, in words, or why the server takes no mail.
//! Always true: no mail is sent, and no recipient is named to the server.

use std::time::Duration;

use lettre::transport::smtp::commands::Mail;

use super::Outbound;
use super::account::Prepared;
use super::delivery::{Encryption, NotDelivered, Server};
use super::mail::{addresses, sender};
use super::scrub::Secrets;
use crate::clock::Clock;
use crate::connector::{Connector, Request, Trouble};
use crate::journal::Failure;

/// How long the server may take, in real time.
const GREETING: Duration = Duration::from_secs(60);

/// The action of a connector that sends mails, if it has one.
pub(super) fn mailing(connector: &Connector) -> Option<&str> {
    let mut actions = connector.actions.iter();
    let found = actions.find(|(_, action)| matches!(action.request, Request::Mail));
    found.map(|(name, _)| name.as_str())
}

impl Outbound {
    /// Greets the server of a connection, encrypts, signs in, and names the sender.
    pub(super) async fn greet(&self, prepared: &Prepared) -> Result<String, Failure> {
        let mut secrets = Secrets::of(prepared.secrets());
        secrets.add_mail_login(prepared);
        let greeted = Clock::within(GREETING, self.greeted(prepared)).await;
        let greeted = greeted.unwrap_or_else(|| {
            let why = format!("the mail server did not answer within {GREETING:?}");
            Err(NotDelivered::ForNow(Trouble::new("timed_out", why)))
        });
        greeted.map_err(|not| {
            let (NotDelivered::ForGood(trouble)
            | NotDelivered::ForNow(trouble)
            | NotDelivered::Unclear(trouble)) = not;
            secrets.taken_out_of_trouble(trouble).into()
        })
    }

    async fn greeted(&self, prepared: &Prepared) -> Result<String, NotDelivered> {
        let from = sender(prepared).map_err(NotDelivered::ForGood)?;
        let server = Server::of(prepared, from.email.domain()).map_err(NotDelivered::ForGood)?;
        let allowed = self.clients.allowed();
        let addresses = addresses(&server.host, server.port, prepared.reach(), allowed).await?;
        let mut connection = server.connect(&addresses).await?;
        server.sign_in(&mut connection).await?;
        let mail = Mail::new(Some(from.email.clone()), Vec::new());
        let taken = connection.command(mail).await;
        if let Err(error) = taken {
            return Err(server.sender_refused(&error, Some(&from.email)));
        }
        connection.abort().await;
        Ok(checked(&server, from.email.as_ref()))
    }
}

/// What was checked, in words.
fn checked(server: &Server, from: &str) -> String {
    let encryption = match server.encryption {
        Encryption::None => "nothing is encrypted",
        Encryption::Starttls => "the connection is encrypted (STARTTLS)",
        Encryption::Tls => "the connection is encrypted (TLS)",
    };
    let login = match server.login {
        Some(_) => "the login is accepted",
        None => "nobody signs in",
    };
    format!(
        "works: {}:{} answers, {encryption}, {login}, the sender {from} is accepted; no mail was sent",
        server.host, server.port
    )
}
