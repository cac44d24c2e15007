//! What a workspace says to use running stand-ins.
//!
//! In: a world, and where its stand-ins are. Out: `connections.yaml` and the files that it names.
//! Always true: what one signs in with stands in files of its own, as it has to.

use std::collections::BTreeMap;

use crate::{Sandbox, World};

/// The file that names the connections of a workspace.
pub const CONNECTIONS: &str = "connections.yaml";

/// What senders of webhooks sign in with; the stand-ins send what they are told to.
const WEBHOOK: (&str, &str) = ("docebo", "webhook-password");

/// A connection on the way: its lines, and the secrets that they refer to.
#[derive(Default)]
struct Written {
    text: String,
    files: BTreeMap<String, String>,
}

impl World {
    /// The files of a workspace whose connections lead to these stand-ins, by path: the one that
    /// names them, and those that it takes their sign-ins from.
    #[must_use]
    pub fn workspace_files(&self, sandbox: &Sandbox) -> BTreeMap<String, String> {
        let mut written = Written::default();
        written.text.push_str("connections:\n");
        let client = self.docebo.clients.iter();
        let mut client = client.filter_map(|client| Some((client, client.username.as_ref()?)));
        if let Some((client, username)) = client.next() {
            let users = self.docebo.users.iter();
            let mut user = users.filter(|user| user.username == *username);
            let password = user.find_map(|user| user.password.as_ref());
            written.open("docebo");
            written.field("base_url", &sandbox.docebo_url);
            written.field("client_id", &client.client_id);
            written.secret("docebo", "client_secret", &client.client_secret);
            match password {
                Some(password) => {
                    written.field("username", username);
                    written.secret("docebo", "password", password);
                }
                None => written.field("grant", "client_credentials"),
            }
            written.plain("allow_private", "true");
        }
        if let Some(key) = self.accredible.keys.first() {
            written.open("accredible");
            written.field("base_url", &sandbox.accredible_url);
            written.secret("accredible", "api_key", &key.key);
            written.plain("allow_private", "true");
        }
        let (username, password) = WEBHOOK;
        written.open("docebo_webhook");
        written.plain("connector", "webhook_basic");
        written.field("username", username);
        written.secret("docebo_webhook", "password", password);
        written.open("mail");
        written.plain("host", "127.0.0.1");
        written.plain("port", &sandbox.smtp_port.to_string());
        written.plain("encryption", "none");
        written.field("from", "Recipes <recipes@academy.example>");
        if let Some(user) = self.mail.users.first() {
            written.field("username", &user.username);
            written.secret("mail", "password", &user.password);
        }
        written.plain("allow_private", "true");
        written.files.insert(CONNECTIONS.to_owned(), written.text);
        written.files
    }
}

impl Written {
    fn open(&mut self, connection: &str) {
        self.text.push_str(&format!("  {connection}:\n"));
    }

    fn plain(&mut self, field: &str, value: &str) {
        self.text.push_str(&format!("    {field}: {value}\n"));
    }

    /// A text between quotes, as JSON has it, which is YAML, too.
    fn field(&mut self, field: &str, value: &str) {
        self.plain(field, &serde_json::Value::from(value).to_string());
    }

    fn secret(&mut self, connection: &str, field: &str, secret: &str) {
        let file = format!("secrets/sandbox-{connection}-{field}");
        self.plain(field, &format!("{{ file: {file} }}"));
        self.files.insert(file, format!("{secret}\n"));
    }
}
