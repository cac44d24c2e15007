//! What a helper's parameter may be.

use jiff::tz::TimeZone;

use crate::data::{Value, told};
use crate::shape::{Shape, Time};

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expression) enum Kind {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// An object.
    Object,
    /// A date, or a date and time.
    Time,
    /// Text, a number, true or false.
    Scalar,
    /// A number or text, for what has an order.
    Ordered,
    /// Text or a list.
    TextOrList,
    /// A list or an object.
    ListOrObject,
    /// Text or a list of texts.
    Texts,
    /// A member's name in the first argument, or an element's place.
    Key,
    /// A name or names of members of the first argument.
    Members,
    /// The name of a member of the first argument's elements.
    ElementMember,
    /// A regular expression.
    Pattern,
    /// The name of a time zone.
    Zone,
    /// A date format with the letters of strftime.
    Format,
}

impl Kind {
    /// Shapes of which one must be able to fit.
    pub(in crate::expression) fn shapes(self) -> Vec<Shape> {
        let list = || Shape::list_of(Shape::Any);
        match self {
            Self::Any => vec![Shape::Any],
            Self::Text | Self::Pattern | Self::Zone | Self::Format | Self::ElementMember => {
                vec![Shape::String]
            }
            Self::Number => vec![Shape::Number],
            Self::Integer => vec![Shape::Integer],
            Self::Boolean => vec![Shape::Boolean],
            Self::List => vec![list()],
            Self::Object => vec![Shape::Object],
            Self::Time => vec![Shape::Date, Shape::DateTime],
            Self::Scalar => vec![Shape::String, Shape::Number, Shape::Boolean],
            Self::Ordered => vec![Shape::Number, Shape::String],
            Self::TextOrList => vec![Shape::String, list()],
            Self::ListOrObject => vec![list(), Shape::Object],
            Self::Texts | Self::Members => vec![Shape::String, Shape::list_of(Shape::String)],
            Self::Key => vec![Shape::String, Shape::Integer],
        }
    }

    /// What it may be, in words.
    pub(in crate::expression) fn words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Time => "a date or a date and time",
            Self::Scalar => "text, a number, true or false",
            Self::Ordered => "a number or text",
            Self::TextOrList => "text or a list",
            Self::ListOrObject => "a list or an object",
            Self::Texts => "text or a list of texts",
            Self::Members => "a name or a list of names",
            Self::ElementMember => "a name",
            Self::Key => "a name or a whole number",
            Self::Pattern => "a regular expression",
            Self::Zone => "a time zone such as Europe/Rome",
            Self::Format => "a date format such as `%d.%m.%Y`",
        }
    }

    /// How to mend an argument that does not fit.
    pub(in crate::expression) fn mend(self) -> &'static str {
        match self {
            Self::Text | Self::Texts => "`to_text` makes text of a number; `join` of a list",
            Self::Number => "`to_number` makes a number of text",
            Self::Integer => "`to_integer` makes a whole number of text, `round` of a number",
            Self::Boolean => "compare: `(eq input.kind \"a\")`, `(is_present input.name?)`",
            Self::Time => "`to_date` and `to_datetime` make dates of text",
            Self::List => "lists come from `[*]` paths, listings, `split`, `keys`, `values`",
            Self::Format => {
                "`%Y` year, `%m` month, `%d` day, `%H` hour, `%M` minute, `%B` month's name"
            }
            Self::Zone => "time zones have IANA names: UTC, Europe/Rome, America/New_York",
            Self::Scalar => "`join` makes text of a list, `to_json` of anything",
            _ => "the reference lists what each helper takes",
        }
    }

    /// What is wrong with a value, if it does not fit.
    pub(in crate::expression) fn misfit(self, value: &Value) -> Option<String> {
        let fits = match self {
            Self::Any => true,
            Self::Text | Self::Pattern | Self::ElementMember => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Time => {
                return match value {
                    Value::String(text) if Time::parse(text).is_some() => None,
                    Value::String(text) => Some(format!(
                        "`{text}` is no date such as 2026-03-01 and no time such as \
                         2026-03-01T10:00:00Z"
                    )),
                    other => Some(format!("expected {}, not {}", self.words(), told(other))),
                };
            }
            Self::Scalar => value.is_string() || value.is_number() || value.is_boolean(),
            Self::Ordered => value.is_string() || value.is_number(),
            Self::TextOrList => value.is_string() || value.is_array(),
            Self::ListOrObject => value.is_array() || value.is_object(),
            Self::Texts | Self::Members => match value {
                Value::Array(list) => list.iter().all(Value::is_string),
                other => other.is_string(),
            },
            Self::Key => value.is_string() || value.is_i64(),
            Self::Format => {
                return match value.as_str() {
                    Some(text) => {
                        format(text, &jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)).err()
                    }
                    None => Some(format!("expected {}, not {}", self.words(), told(value))),
                };
            }
            Self::Zone => return value.as_str().and_then(|name| zone(name).err()),
        };
        (!fits).then(|| format!("expected {}, not {}", self.words(), told(value)))
    }
}

/// The time zone of this name.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("`{name}` is no time zone; write for example Europe/Rome or UTC"))
}

/// A time written with the letters of strftime.
pub(super) fn format(format: &str, time: &jiff::Zoned) -> Result<String, String> {
    let wrong = || format!("`{format}` is no date format; write for example `%d.%m.%Y %H:%M`");
    if !format.contains('%') {
        return Err(wrong());
    }
    jiff::fmt::strtime::format(format, time).map_err(|_| wrong())
}
