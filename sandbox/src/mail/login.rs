//! Signing in (RFC 4954), by PLAIN and LOGIN. In: the mechanism and the client's answers. Out: what
//! the server asks next, and in the end a user name with a password. Always true: nothing that was
//! answered is written down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::reply::Reply;

/// What is asked of a client that signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// All at once: `\0user\0password`.
    Plain,
    /// The user name.
    User,
    /// The password of this user.
    Password(String),
}

/// Where signing in has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// This is asked, and the answer is the next line.
    Ask(Reply, Stage),
    /// Somebody says who he is.
    Claim {
        username: String,
        password: String,
    },
    Refuse(Reply),
}

/// Begins to sign somebody in.
pub(super) fn begin(mechanism: &str, initial: Option<&str>) -> Step {
    let (question, stage) = match mechanism {
        "PLAIN" => ("", Stage::Plain),
        _ => ("VXNlcm5hbWU6", Stage::User),
    };
    match initial {
        None => Step::Ask(Reply::new(334, question), stage),
        // An empty answer along with the command is written as one sign.
        Some("=") => go_on(stage, ""),
        Some(answer) => go_on(stage, answer),
    }
}

/// Takes an answer.
pub(super) fn go_on(stage: Stage, answer: &str) -> Step {
    if answer == "*" {
        return Step::Refuse(Reply::new(501, "5.7.0 signing in was given up"));
    }
    let decoded = STANDARD.decode(answer).ok();
    let Some(said) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Step::Refuse(Reply::new(501, "5.5.2 this is no Base64"));
    };
    match stage {
        Stage::Plain => match said.split('\0').collect::<Vec<_>>()[..] {
            [_, username, password] if !username.is_empty() => Step::Claim {
                username: username.to_owned(),
                password: password.to_owned(),
            },
            _ => Step::Refuse(Reply::new(501, "5.5.2 three texts apart by NUL are wanted")),
        },
        Stage::User => Step::Ask(Reply::new(334, "UGFzc3dvcmQ6"), Stage::Password(said)),
        Stage::Password(username) => Step::Claim {
            username,
            password: said,
        },
    }
}
