//! Replies of SMTP. In: a code and what it says. Out: the lines on the wire. Always true: a reply
//! is one line unless it lists what the server can do.

/// What the server says to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// A reply of one line.
    pub(super) fn new(code: u16, text: &str) -> Self {
        Self::listing(code, vec![text.to_owned()])
    }

    /// A reply of several lines.
    pub(super) fn listing(code: u16, lines: Vec<String>) -> Self {
        Self { code, lines }
    }

    /// The reply that somebody ordered; without words of his own, such as a server would say.
    pub(super) fn ordered(code: u16, text: &str) -> Self {
        let text = match (text, code) {
            ("", 421) => "4.3.2 the server is closing, try again later",
            ("", 450) => "4.2.1 the mailbox is busy, try again later",
            ("", 400..=499) => "4.3.0 not now, try again later",
            ("", 535) => "5.7.8 user name or password are wrong",
            ("", 550) => "5.1.1 there is no such mailbox",
            ("", 500..) => "5.0.0 refused",
            ("", _) => "ordered",
            (text, _) => text,
        };
        Self::listing(code, text.lines().map(str::to_owned).collect())
    }

    /// Whether the server hangs up after it.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.code, 221 | 421)
    }

    /// The lines as they go over the wire.
    pub(super) fn written(&self) -> String {
        let last = self.lines.len().saturating_sub(1);
        let line = |(index, text): (usize, &String)| {
            let mark = if index == last { ' ' } else { '-' };
            format!("{}{mark}{text}\r\n", self.code)
        };
        self.lines.iter().enumerate().map(line).collect()
    }
}
