//! Commands of SMTP. In: one line as it came, without its end. Out: what it asks for, or the reply
//! that says what is wrong with it. Always true: who may say it when is decided by the session.

use super::reply::Reply;

/// The longest local part and the longest domain of an address (RFC 5321, 4.5.3.1).
const LOCAL_PART_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// The client's name, with a wish for extensions.
    Ehlo(String),
    /// The client's name, as in old times.
    Helo(String),
    /// Begins a mail of this sender; empty for a bounce.
    Mail {
        from: String,
        size: Option<u64>,
    },
    /// One more recipient.
    Rcpt(String),
    /// The text follows.
    Data,
    /// Forgets the mail that was begun.
    Rset,
    Noop,
    Help,
    /// Asks whether somebody is known.
    Vrfy,
    Quit,
    StartTls,
    /// Signs in; the first answer may come along.
    Auth {
        mechanism: String,
        initial: Option<String>,
    },
}

/// Reads a command.
pub(super) fn read(line: &str) -> Result<Command, Reply> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => name(rest).map(Command::Ehlo),
        "HELO" => name(rest).map(Command::Helo),
        "MAIL" => mail(rest),
        "RCPT" => recipient(rest),
        "DATA" => alone(rest, Command::Data),
        "RSET" => alone(rest, Command::Rset),
        "QUIT" => alone(rest, Command::Quit),
        "STARTTLS" => alone(rest, Command::StartTls),
        "AUTH" => auth(rest),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if !rest.trim().is_empty() => Ok(Command::Vrfy),
        "VRFY" => Err(Reply::new(501, "5.5.4 whom? write VRFY and a name")),
        "EXPN" | "TURN" | "SEND" | "SOML" | "SAML" | "ETRN" | "BDAT" => {
            Err(Reply::new(502, "5.5.1 this command is not done here"))
        }
        _ => Err(Reply::new(500, "5.5.2 no such command")),
    }
}

/// The verb of a line and what it is about, as the journal and fault orders name them.
pub(super) fn label(line: &str, command: &Result<Command, Reply>) -> (String, String) {
    let verb = line.split(' ').next().unwrap_or_default();
    let is_word = (1..=8).contains(&verb.len()) && verb.bytes().all(|b| b.is_ascii_alphabetic());
    let verb = if is_word { verb } else { "?" };
    let about = match command {
        Ok(Command::Mail { from, .. }) => from,
        Ok(Command::Rcpt(to)) => to,
        Ok(Command::Auth { mechanism, .. }) => mechanism,
        _ => "",
    };
    (verb.to_ascii_uppercase(), format!("/{about}"))
}

fn alone(rest: &str, command: Command) -> Result<Command, Reply> {
    if rest.trim().is_empty() {
        return Ok(command);
    }
    Err(Reply::new(501, "5.5.4 nothing may follow this command"))
}

/// The name that a client gives itself: a domain or an address in brackets.
fn name(rest: &str) -> Result<String, Reply> {
    let name = rest.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let is_literal = name.starts_with('[') && name.ends_with(']');
    if name.is_empty() || !(is_literal || name.chars().all(is_name)) {
        return Err(Reply::new(
            501,
            "5.5.4 the name must be a domain or [an address]",
        ));
    }
    Ok(name.to_owned())
}

fn mail(rest: &str) -> Result<Command, Reply> {
    let (from, parameters) = path(rest, "FROM:")?;
    let mut size = None;
    for parameter in parameters.split_ascii_whitespace() {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match key.to_ascii_uppercase().as_str() {
            "SIZE" => {
                let read = value
                    .parse()
                    .map_err(|_| Reply::new(501, "5.5.4 SIZE is a number"));
                size = Some(read?);
            }
            "BODY" if ["7BIT", "8BITMIME"].contains(&value.to_ascii_uppercase().as_str()) => {}
            "AUTH" if !value.is_empty() => {}
            _ => {
                let why = format!("5.5.4 `{parameter}` is not known here");
                return Err(Reply::new(555, &why));
            }
        }
    }
    if !from.is_empty() {
        sound(&from)?;
    }
    Ok(Command::Mail { from, size })
}

fn recipient(rest: &str) -> Result<Command, Reply> {
    let (to, parameters) = path(rest, "TO:")?;
    if let Some(parameter) = parameters.split_ascii_whitespace().next() {
        let why = format!("5.5.4 `{parameter}` is not known here");
        return Err(Reply::new(555, &why));
    }
    if !to.eq_ignore_ascii_case("postmaster") {
        sound(&to)?;
    }
    Ok(Command::Rcpt(to))
}

/// The address between `<` and `>`, without a route, and what follows it.
fn path<'a>(rest: &'a str, keyword: &str) -> Result<(String, &'a str), Reply> {
    let wrong = || {
        let why = format!("5.5.4 write {keyword}<address>");
        Reply::new(501, &why)
    };
    let has_keyword = rest
        .get(..keyword.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(keyword));
    let after = rest.get(keyword.len()..).filter(|_| has_keyword);
    let inner = after.ok_or_else(wrong)?.trim_start();
    let inner = inner.strip_prefix('<').ok_or_else(wrong)?;
    let mut is_quoted = false;
    let mut is_escaped = false;
    let end = inner.char_indices().find(|(_, c)| {
        let ends = *c == '>' && !is_quoted;
        is_quoted ^= *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && is_quoted && !is_escaped;
        ends
    });
    let (address, parameters) = inner.split_at(end.ok_or_else(wrong)?.0);
    // A route as of old, `<@a,@b:user@c>`, is read and not followed.
    let address = match address.split_once(':') {
        Some((route, address)) if route.starts_with('@') => address,
        _ => address,
    };
    let parameters = &parameters[1..];
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(wrong());
    }
    Ok((address.to_owned(), parameters))
}

fn sound(address: &str) -> Result<(), Reply> {
    if !address.is_ascii() {
        return Err(Reply::new(553, "5.6.7 addresses are plain ASCII here"));
    }
    let wrong = Err(Reply::new(553, "5.1.3 this is no mail address"));
    let Some((local, domain)) = address.rsplit_once('@') else {
        return wrong;
    };
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_dotted = local
        .split('.')
        .all(|part| !part.is_empty() && part.chars().all(is_atom));
    let is_literal = domain.starts_with('[') && domain.ends_with(']');
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let is_short = local.len() <= LOCAL_PART_MAX && domain.len() <= DOMAIN_MAX;
    if is_short && (is_quoted || is_dotted) && (is_literal || domain.split('.').all(is_label)) {
        return Ok(());
    }
    wrong
}

fn auth(rest: &str) -> Result<Command, Reply> {
    let mut words = rest.split_ascii_whitespace();
    let (Some(mechanism), initial, None) = (words.next(), words.next(), words.next()) else {
        return Err(Reply::new(501, "5.5.4 write AUTH and a mechanism"));
    };
    Ok(Command::Auth {
        mechanism: mechanism.to_ascii_uppercase(),
        initial: initial.map(str::to_owned),
    })
}
