//! What the mail server knows: the mails that it took, who may sign in, its oddities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::letter::{self, Attachment};

/// The part of a world that is about mail.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MailWorld {
    pub(crate) users: Vec<User>,
}

/// Somebody who may sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// How the connection was protected over which a mail came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Not at all.
    None,
    /// Encrypted from the command STARTTLS on.
    Starttls,
    /// Encrypted from the beginning.
    Implicit,
}

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// Its number, counted from 1.
    pub id: u64,
    /// When it was taken, by the sandbox clock, in microseconds UTC.
    pub at: i64,
    /// The name that the client gave itself.
    pub client: String,
    /// The sender on the envelope.
    pub from: String,
    /// The recipients on the envelope.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The plain text, decoded.
    pub text: String,
    /// The same as HTML, if there is one.
    pub html: Option<String>,
    /// The files.
    pub attachments: Vec<Attachment>,
    /// The `Message-ID`, which names one mail however often it is sent.
    pub message_id: String,
    /// All headers, decoded, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// How the connection was protected.
    pub tls: Protection,
    /// Who had signed in.
    pub user: Option<String>,
}

/// How a mail came, before anybody has read it.
#[derive(Debug, Clone)]
pub(super) struct Delivered {
    pub(super) client: String,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) tls: Protection,
    pub(super) user: Option<String>,
    pub(super) raw: Vec<u8>,
}

/// The oddities of mail servers; `POST /_control/quirks` changes those that it names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Quirks {
    /// No mail without signing in.
    pub(super) login_required: bool,
    /// No mail, and no signing in, before the connection is encrypted.
    pub(super) tls_required: bool,
    /// STARTTLS is offered.
    pub(super) starttls: bool,
    /// How one may sign in: `PLAIN`, `LOGIN`; none when empty.
    pub(super) login_mechanisms: Vec<String>,
    /// The one name in the server's certificate, in place of `localhost` and `127.0.0.1`.
    pub(super) certificate_name: Option<String>,
    /// The server's certificate has run out.
    pub(super) certificate_expired: bool,
    /// The longest mail in bytes.
    pub(super) size_max: u64,
    /// How many recipients one mail may have.
    pub(super) recipients_max: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            login_required: false,
            tls_required: false,
            starttls: true,
            login_mechanisms: ["PLAIN", "LOGIN"].map(str::to_owned).into(),
            certificate_name: None,
            certificate_expired: false,
            size_max: 26_214_400,
            recipients_max: 100,
        }
    }
}

/// All that changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) mails: Vec<Mail>,
    pub(super) users: Vec<User>,
    pub(super) quirks: Quirks,
    /// Commands that were none, and commands at the wrong moment.
    pub(super) syntax_errors: u64,
    pub(super) sequence_errors: u64,
    last_id: u64,
}

impl State {
    pub(super) fn load(world: MailWorld) -> Self {
        Self {
            users: world.users,
            ..Self::default()
        }
    }

    /// Takes a mail and returns its number.
    pub(super) fn take(&mut self, delivered: Delivered, at: i64) -> u64 {
        self.last_id += 1;
        let letter = letter::read(&delivered.raw);
        let header = |name: &str| letter.headers.get(name).cloned().unwrap_or_default();
        self.mails.push(Mail {
            id: self.last_id,
            at,
            client: delivered.client,
            from: delivered.from,
            to: delivered.to,
            subject: header("subject"),
            message_id: header("message-id"),
            text: letter.text,
            html: letter.html,
            attachments: letter.attachments,
            headers: letter.headers,
            tls: delivered.tls,
            user: delivered.user,
        });
        self.last_id
    }
}
