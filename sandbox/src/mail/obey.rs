//! What commands do. In: a command, at any moment of a session. Out: the reply, and what follows it.
//! Always true: a command at the wrong moment is refused and changes nothing.

use super::command::Command;
use super::login::{self, Step};
use super::reply::Reply;
use super::session::{Envelope, Next, Session};
use super::state::{Delivered, Protection};

impl Session {
    pub(super) fn obey(&mut self, command: Result<Command, Reply>) -> (Reply, Next) {
        let reply = match command {
            Err(reply) => {
                self.office.with(|state| state.syntax_errors += 1);
                reply
            }
            Ok(Command::Ehlo(name)) => {
                self.is_extended = true;
                let lines = self.greet(name);
                Reply::listing(250, lines)
            }
            Ok(Command::Helo(name)) => {
                self.is_extended = false;
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
            Ok(Command::StartTls) => return self.begin_encryption(),
            Ok(Command::Auth { mechanism, initial }) => {
                return self.begin_login(&mechanism, initial.as_deref());
            }
        };
        (reply, Next::Command)
    }

    /// Keeps the mail that was begun.
    pub(super) fn keep(&mut self, raw: Vec<u8>) -> Reply {
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

    /// Lets somebody in, or asks on, or refuses.
    pub(super) fn admit(&mut self, step: Step) -> (Reply, Next) {
        let reply = match step {
            Step::Ask(reply, stage) => return (reply, Next::Login(stage)),
            Step::Refuse(reply) => reply,
            Step::Claim { username, password } => {
                let is_known = self.office.with(|state| {
                    let mut users = state.users.iter();
                    users.any(|user| user.username == username && user.password == password)
                });
                if is_known {
                    self.user = Some(username);
                    Reply::new(235, "2.7.0 welcome")
                } else {
                    Reply::new(535, "5.7.8 user name or password are wrong")
                }
            }
        };
        (reply, Next::Command)
    }

    /// Who greets anew begins anew. The lines say what the server can do.
    fn greet(&mut self, name: String) -> Vec<String> {
        let quirks = self.office.with(|state| state.quirks.clone());
        let mut lines = vec![
            format!("mail.sandbox greets {name}"),
            format!("SIZE {}", quirks.size_max),
            "8BITMIME".to_owned(),
            "PIPELINING".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
        ];
        let is_open = self.tls == Protection::None;
        if is_open && quirks.starttls {
            lines.push("STARTTLS".to_owned());
        }
        let may_sign_in = !is_open || !quirks.tls_required;
        if may_sign_in && !quirks.login_mechanisms.is_empty() {
            lines.push(format!("AUTH {}", quirks.login_mechanisms.join(" ")));
        }
        self.client = Some(name);
        self.envelope = None;
        lines
    }

    fn begin_encryption(&self) -> (Reply, Next) {
        let is_offered = self.office.with(|state| state.quirks.starttls);
        let reply = match self.tls {
            Protection::None if !is_offered => {
                Reply::new(502, "5.5.1 this command is not done here")
            }
            Protection::None if !self.is_extended || self.client.is_none() => {
                self.out_of_order("EHLO comes first")
            }
            Protection::None => {
                return (Reply::new(220, "2.0.0 begin"), Next::Encryption);
            }
            _ => self.out_of_order("the connection is encrypted already"),
        };
        (reply, Next::Command)
    }

    fn begin_login(&mut self, mechanism: &str, initial: Option<&str>) -> (Reply, Next) {
        let quirks = self.office.with(|state| state.quirks.clone());
        let reply = if self.client.is_none() || !self.is_extended {
            self.out_of_order("EHLO comes first")
        } else if self.user.is_some() {
            self.out_of_order("you are signed in already")
        } else if self.envelope.is_some() {
            self.out_of_order("a mail is begun already")
        } else if quirks.tls_required && self.tls == Protection::None {
            Reply::new(538, "5.7.11 encrypt the connection first")
        } else if !quirks
            .login_mechanisms
            .iter()
            .any(|known| known == mechanism)
        {
            Reply::new(504, "5.5.4 one cannot sign in this way")
        } else {
            return self.admit(login::begin(mechanism, initial));
        };
        (reply, Next::Command)
    }

    fn begin(&mut self, from: String, size: Option<u64>) -> Reply {
        if self.client.is_none() {
            return self.out_of_order("EHLO comes first");
        }
        if self.envelope.is_some() {
            return self.out_of_order("a mail is begun already");
        }
        let quirks = self.office.with(|state| state.quirks.clone());
        if quirks.tls_required && self.tls == Protection::None {
            return Reply::new(530, "5.7.0 encrypt the connection first (STARTTLS)");
        }
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
}
