//! How the pages of a listing follow one another, as described.

use crate::expression::Expression;

/// The paging of a listing.
#[derive(Clone, Debug)]
pub struct Pages {
    /// What leads from page to page.
    pub by: PageKind,
    /// Where the number, offset or cursor goes; `next_url` has none.
    pub send: Option<Target>,
    /// Where the size of a page goes, and the size.
    pub size: Option<(Target, u64)>,
    /// The number or offset of the first page.
    pub first: i64,
    /// The next number, cursor or URL in a reply.
    pub next: Option<Expression>,
    /// Whether there are more pages, in a reply.
    pub more: Option<Expression>,
    /// How many items there are in all, in a reply.
    pub total: Option<Expression>,
    /// The most pages; beyond it the listing fails.
    pub cap: u64,
    /// What is sent with the first page only.
    pub on_first: Vec<(Target, Expression)>,
    /// What is taken from each reply and sent with every later page.
    pub carry: Vec<(Target, Expression)>,
    /// Further ends beside the kind's own.
    pub ends: Ends,
}

/// The most pages of a listing unless its connector says otherwise.
pub(super) const PAGES_MAX: u64 = 1000;

/// What leads from page to page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// A number that grows by one, or is given by the reply.
    PageNumber,
    /// The number of items seen.
    Offset,
    /// A cursor sent in the query.
    CursorInQuery,
    /// A cursor sent in the body.
    CursorInBody,
    /// A URL given by the reply.
    NextUrl,
    /// A cursor and a flag, as GraphQL connections have them.
    Relay,
    /// A cursor given in a header of the reply.
    HeaderCursor,
}

/// Further signs of the last page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Fewer items than a page holds.
    pub short_page: bool,
    /// No items.
    pub empty_page: bool,
    /// A next cursor equal to the one just sent.
    pub same_cursor: bool,
}

/// A place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A field of the query.
    Query(String),
    /// A header.
    Header(String),
    /// A member of the body; missing parents are made.
    Body(Vec<String>),
}

impl Target {
    /// Reads `query.page`, `header.X-Cursor` or `body.page.cursor`.
    pub fn parse(text: &str) -> Option<Self> {
        let (place, rest) = text.split_once('.')?;
        if rest.is_empty() {
            return None;
        }
        match place {
            "query" => Some(Self::Query(rest.to_owned())),
            "header" => Some(Self::Header(rest.to_owned())),
            "body" => Some(Self::Body(rest.split('.').map(str::to_owned).collect())),
            _ => None,
        }
    }
}
