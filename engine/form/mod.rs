//! Grammars as data: which keys a mapping has, what they mean and what they take.
//!
//! In: a [`Form`] and a node. Out: every place where the node leaves the form; a JSON Schema that
//! says the same to an editor; tables that say it to a person.
//! Always true: a key is stated once; reading, help, schema and reference follow from that.

mod check;
pub mod codes;
mod describe;
mod scalar;
mod schema;

pub use check::check;
pub use describe::describe;
pub use schema::schema;

/// A mapping with known keys.
#[derive(Debug)]
pub struct Form {
    /// Its name in schemas: `step`, `webhook`.
    pub name: &'static str,
    /// What it describes, for people.
    pub doc: &'static str,
    /// The keys that it may always have.
    pub keys: &'static [Key],
    /// The keys of which it has exactly one; empty if it has no kinds.
    pub variants: &'static [Variant],
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it means, for people.
    pub doc: &'static str,
    /// Whether it must be there.
    pub is_required: bool,
}

/// One of the kinds of a mapping, chosen by its key, with the keys that only it has.
#[derive(Debug)]
pub struct Variant {
    /// The key that makes the mapping this kind.
    pub key: Key,
    /// Keys that belong to this kind.
    pub with: &'static [Key],
    /// Keys of which this kind has exactly one; empty if it needs none.
    pub one_of: &'static [Key],
}

/// What a key takes.
#[derive(Debug)]
pub enum Kind {
    /// Text, as it stands.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Whole {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number of at least one.
    Factor,
    /// A length of time: `5m`.
    Period,
    /// One of some words.
    Word(&'static [&'static str]),
    /// `[a-z][a-z0-9_]*`.
    Id,
    /// Lower-case words joined by hyphens or underscores: a connector, table or connection.
    Name,
    /// Any data, in which texts may be paths and templates.
    Value,
    /// A condition.
    Condition,
    /// A type.
    Type,
    /// A mapping of field names to types.
    Fields,
    /// Any data, taken as it is.
    Data,
    /// A mapping of this form.
    Form(&'static Form),
    /// A mapping of this form, which may be left empty.
    FormOrNothing(&'static Form),
    /// A list.
    List(&'static Kind),
    /// A mapping from names of one's own to this.
    Map(Naming, &'static Kind),
    /// One of several, told apart by what is written.
    Either(&'static [Kind]),
}

/// Which names a mapping's own keys may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `[a-z][a-z0-9_]*`.
    Id,
    /// Lower-case words joined by hyphens or underscores.
    Name,
    /// Anything.
    Free,
}

impl Key {
    /// A key that may be left out.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            doc,
            is_required: false,
        }
    }

    /// A key that must be there.
    pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            doc,
            is_required: true,
        }
    }
}

impl Variant {
    /// A kind that its key alone makes.
    pub const fn new(key: Key) -> Self {
        Self {
            key,
            with: &[],
            one_of: &[],
        }
    }

    /// A kind with further keys.
    pub const fn with(key: Key, with: &'static [Key]) -> Self {
        Self {
            key,
            with,
            one_of: &[],
        }
    }
}

impl Form {
    /// Every key the form knows, whatever the kind.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> {
        let of_variants = self.variants.iter().flat_map(|variant| {
            std::iter::once(&variant.key)
                .chain(variant.with)
                .chain(variant.one_of)
        });
        self.keys.iter().chain(of_variants)
    }
}

impl Form {
    /// The names of all its keys.
    pub fn names(&self) -> Vec<&'static str> {
        self.all_keys().map(|key| key.name).collect()
    }
}

impl Kind {
    /// What is expected, in an admin's words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Whole { .. } => "a whole number".to_owned(),
            Self::Factor => "a number".to_owned(),
            Self::Period => "a length of time such as 5m".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Id | Self::Name => "a name".to_owned(),
            Self::Value | Self::Data => "a value".to_owned(),
            Self::Condition => "a condition".to_owned(),
            Self::Type => "a type".to_owned(),
            Self::Fields => "a mapping of names to types".to_owned(),
            Self::Form(form) | Self::FormOrNothing(form) => {
                let keys: Vec<_> = form.all_keys().take(3).map(|key| key.name).collect();
                let more = if form.all_keys().count() > 3 {
                    ", ..."
                } else {
                    ""
                };
                format!("a mapping with {}{more}", keys.join(", "))
            }
            Self::List(_) => "a list".to_owned(),
            Self::Map(..) => "a mapping".to_owned(),
            Self::Either(kinds) => {
                let words: Vec<_> = kinds.iter().map(Kind::in_words).collect();
                words.join(", or ")
            }
        }
    }
}
