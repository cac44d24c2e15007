//! JSONPath text to a [`Path`].
//!
//! In: text that begins with `$`. Out: a path, or what is wrong with it and where.
//! Always true: what the JSONPath library would answer wrongly or not at all is refused here.

use std::sync::Arc;

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment as Parsed, Selector, SingularQuery,
    SingularQuerySegment, Test, TestFunction,
};
use jsonpath_rust::parser::parse_json_path;

use super::codes::{BAD_PATH, PATH_NOT_OFFERED, UNKNOWN_NAME};
use super::plain;
pub(super) use super::term::Path;
use super::term::Segment;
use crate::diagnostic::Code;

/// What is wrong with a leaf, and where inside its text.
pub(super) struct Mistake {
    pub(super) code: Code,
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) message: String,
    pub(super) help: String,
}

/// Roots whose members stand alone: the second name is looked up with the first.
const WITH_MEMBERS: [&str; 3] = ["steps", "vars", "settings"];

/// Longer paths are surely a mistake.
const LENGTH_MAX: usize = 4096;
/// Brackets may nest this deep.
const DEPTH_MAX: usize = 16;

/// Whether the text is a path: it begins with `$.` or `$[`.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with("$.") || text.starts_with("$[")
}

/// Reads a path; a trailing `?` allows that it leads nowhere.
pub(super) fn parse(text: &str) -> Result<Path, Mistake> {
    let (path, optional) = match text.strip_suffix('?') {
        Some(path) => (path, true),
        None => (text, false),
    };
    guard(path)?;
    let segments = plain::names(path).map_or_else(|| segments(path), Ok)?;
    split_root(text, segments, optional)
}

/// The segments of any path, as the library reads it.
pub(super) fn segments(path: &str) -> Result<Vec<Segment>, Mistake> {
    let query = parse_json_path(path).map_err(|_| unreadable(path))?;
    let segments = query.segments.into_iter();
    segments.map(|segment| convert(path, segment)).collect()
}

/// Takes the root (and member) off the front of the segments.
pub(super) fn split_root(
    source: &str,
    segments: Vec<Segment>,
    optional: bool,
) -> Result<Path, Mistake> {
    let mut segments = segments.into_iter();
    let root = match segments.next() {
        Some(Segment::Name(name) | Segment::Key(name)) => name,
        _ => {
            return Err(whole(
                source,
                UNKNOWN_NAME,
                "a path begins with a root".to_owned(),
                "write for example `$.steps.user.email` or `$.input.email`",
            ));
        }
    };
    let mut member = None;
    if WITH_MEMBERS.contains(&root.as_str()) {
        match segments.next() {
            Some(Segment::Name(name) | Segment::Key(name)) => member = Some(name),
            _ => {
                let what = root.strip_suffix('s').unwrap_or(&root);
                return Err(whole(
                    source,
                    UNKNOWN_NAME,
                    format!("`{root}` is no value of its own"),
                    &format!("name the {what} you mean: `$.{root}.name`"),
                ));
            }
        }
    }
    Ok(Path {
        source: Arc::from(source),
        root,
        member,
        segments: segments.collect(),
        optional,
    })
}

fn whole(text: &str, code: Code, message: String, help: &str) -> Mistake {
    Mistake {
        code,
        offset: 0,
        len: text.len(),
        message,
        help: help.to_owned(),
    }
}

/// Refuses what would cost too much to parse, and white space, which the library overlooks.
fn guard(path: &str) -> Result<(), Mistake> {
    if path.len() > LENGTH_MAX {
        let message = format!("a path has at most {LENGTH_MAX} characters");
        return Err(whole(
            &path[..0],
            BAD_PATH,
            message,
            "use several `transform` steps",
        ));
    }
    if let Some(offset) = path.find("{{") {
        return Err(Mistake {
            code: BAD_PATH,
            offset,
            len: path.len() - offset,
            message: "a path cannot hold a template".to_owned(),
            help: "use the helper `get`: `{{get steps.x.items_by_id key}}`".to_owned(),
        });
    }
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (offset, c) in path.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '[' || c == '(' => depth += 1,
            None if c == ']' || c == ')' => depth = depth.saturating_sub(1),
            None if c.is_whitespace() && depth == 0 => {
                return Err(Mistake {
                    code: BAD_PATH,
                    offset,
                    len: path.len() - offset,
                    message: "a path ends at the first space".to_owned(),
                    help: "inside text write `{{steps.user.email}}`; a name with a space is \
                           written `$.row['full name']`"
                        .to_owned(),
                });
            }
            None => {}
        }
        if depth > DEPTH_MAX {
            let message = "brackets nest too deeply".to_owned();
            return Err(whole(
                path,
                BAD_PATH,
                message,
                "use several `transform` steps",
            ));
        }
    }
    Ok(())
}

/// Says what is probably wrong with a path that the library cannot read.
fn unreadable(path: &str) -> Mistake {
    let mistake = |offset: usize, len: usize, help: String| Mistake {
        code: BAD_PATH,
        offset,
        len,
        message: format!("`{path}` is not a path that can be read"),
        help,
    };
    if let Some(at) = path.find("?.").or_else(|| path.find("?[")) {
        let moved = format!("{}{}?", &path[..at], &path[at + 1..]);
        return mistake(at, 1, format!("the `?` stands at the end: `{moved}`"));
    }
    if path.contains(".length-") || path.contains(".length -") {
        return mistake(0, path.len(), "the last element is `[-1]`".to_owned());
    }
    if path[2..].starts_with(|c: char| c.is_ascii_digit() || c == ',') {
        return mistake(
            0,
            path.len(),
            "write `\\$.` if the characters are meant".to_owned(),
        );
    }
    if path.ends_with('.') {
        return mistake(
            path.len() - 1,
            1,
            "name a member after the last `.`".to_owned(),
        );
    }
    let outside = path.find('[').unwrap_or(path.len());
    let mut offset = 0;
    for name in path[..outside].split('.') {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || !c.is_ascii();
        if offset > 0 && !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            return mistake(
                offset,
                name.len(),
                format!("an element is written `[{name}]`"),
            );
        }
        if offset > 0 && (!name.chars().all(plain) || name.starts_with(|c: char| c.is_numeric())) {
            let before = path[..offset].trim_end_matches('.');
            return mistake(offset, name.len(), format!("write `{before}['{name}']`"));
        }
        offset += name.len() + 1;
    }
    let help = "names are joined by `.`, elements are `[0]`, all elements `[*]`, a filter is \
                `[?@.role=='admin']`; quote the whole value";
    mistake(0, path.len(), help.to_owned())
}

fn convert(path: &str, segment: Parsed) -> Result<Segment, Mistake> {
    match segment {
        Parsed::Selector(selector) => convert_selector(path, selector),
        Parsed::Selectors(selectors) => selectors
            .into_iter()
            .map(|selector| convert_selector(path, selector))
            .collect::<Result<_, _>>()
            .map(Segment::Union),
        Parsed::Descendant(inner) => {
            if let Parsed::Selector(Selector::Filter(filter)) = &*inner {
                check_filter(path, filter)?;
            }
            if matches!(&*inner, Parsed::Selectors(_) | Parsed::Descendant(_)) {
                let help = "ask for one name after `..`, or name the place: `$.steps.x.items[*]`";
                return Err(not_offered(path, "several selectors after `..`", help));
            }
            Ok(query(Parsed::Descendant(inner)))
        }
    }
}

fn convert_selector(path: &str, selector: Selector) -> Result<Segment, Mistake> {
    Ok(match selector {
        Selector::Name(name) => {
            check_name(path, &name)?;
            Segment::Name(name)
        }
        Selector::Index(index) => Segment::Index(index),
        Selector::Wildcard => Segment::Every,
        Selector::Slice(_, _, Some(0)) => {
            return Err(not_offered(
                path,
                "a slice with step 0",
                "leave the step out",
            ));
        }
        Selector::Filter(filter) => {
            check_filter(path, &filter)?;
            query(Parsed::Selector(Selector::Filter(filter)))
        }
        slice => query(Parsed::Selector(slice)),
    })
}

fn query(segment: Parsed) -> Segment {
    Segment::Query(Arc::new(JpQuery::new(vec![segment])))
}

fn not_offered(path: &str, what: &str, help: &str) -> Mistake {
    whole(
        path,
        PATH_NOT_OFFERED,
        format!("{what} is not offered in paths"),
        help,
    )
}

/// A name with white space is a name only in quotes; the library also takes it without.
fn check_name(path: &str, name: &str) -> Result<(), Mistake> {
    let quoted = || {
        ['\'', '"']
            .iter()
            .any(|quote| path.contains(&format!("{quote}{name}{quote}")))
    };
    if name.chars().any(char::is_whitespace) && !quoted() && !path.contains('\\') {
        let help = format!("write `['{name}']`");
        return Err(whole(
            path,
            BAD_PATH,
            format!("`{name}` holds a space"),
            &help,
        ));
    }
    Ok(())
}

const WHERE_INSTEAD: &str = "use a `transform` step with `from` and `where`";

/// Refuses in a filter what the library reads but answers wrongly, and what it adds to the RFC.
fn check_filter(path: &str, filter: &Filter) -> Result<(), Mistake> {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => {
            parts.iter().try_for_each(|part| check_filter(path, part))
        }
        Filter::Atom(FilterAtom::Filter { expr, .. }) => check_filter(path, expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
            Test::Function(function) if expr.is_res_bool() => check_function(path, function),
            Test::Function(_) => Err(not_offered(
                path,
                "a function without a comparison",
                WHERE_INSTEAD,
            )),
            test => check_test(path, test),
        },
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (left, right) = comparison.vals();
            check_comparable(path, left)?;
            check_comparable(path, right)
        }
    }
}

fn check_test(path: &str, test: &Test) -> Result<(), Mistake> {
    match test {
        Test::AbsQuery(_) => Err(other_data(path)),
        Test::Function(function) => check_function(path, function),
        Test::RelQuery(segments) => segments.iter().try_for_each(|segment| match segment {
            Parsed::Selector(Selector::Name(name)) => check_name(path, name),
            Parsed::Selector(Selector::Index(_)) => Ok(()),
            _ => Err(not_offered(
                path,
                "anything but names and indexes after `@`",
                WHERE_INSTEAD,
            )),
        }),
    }
}

fn check_comparable(path: &str, comparable: &Comparable) -> Result<(), Mistake> {
    match comparable {
        Comparable::Literal(_) => Ok(()),
        Comparable::Function(function) if function.is_comparable() => {
            check_function(path, function)
        }
        Comparable::Function(_) => Err(not_offered(
            path,
            "comparing the result of this function",
            WHERE_INSTEAD,
        )),
        Comparable::SingularQuery(SingularQuery::Root(_)) => Err(other_data(path)),
        Comparable::SingularQuery(SingularQuery::Current(segments)) => {
            segments.iter().try_for_each(|segment| match segment {
                SingularQuerySegment::Name(name) => check_name(path, name),
                SingularQuerySegment::Index(_) => Ok(()),
            })
        }
    }
}

/// `length`, `match` and `search` of one place are sound; the others are not.
fn check_function(path: &str, function: &TestFunction) -> Result<(), Mistake> {
    let argument = |argument: &FnArg| match argument {
        FnArg::Literal(_) => Ok(()),
        FnArg::Test(test) => match &**test {
            Test::RelQuery(_) | Test::AbsQuery(_) => check_test(path, test),
            Test::Function(_) => Err(not_offered(path, "a function in a function", WHERE_INSTEAD)),
        },
        FnArg::Filter(_) => Err(not_offered(path, "a filter in a function", WHERE_INSTEAD)),
    };
    match function {
        TestFunction::Length(value) => argument(value),
        TestFunction::Match(value, pattern) | TestFunction::Search(value, pattern) => {
            argument(value)?;
            argument(pattern)
        }
        TestFunction::Count(_) => Err(not_offered(path, "`count`", WHERE_INSTEAD)),
        TestFunction::Value(_) => Err(not_offered(path, "`value`", WHERE_INSTEAD)),
        TestFunction::Custom(name, _) => {
            Err(not_offered(path, &format!("`{name}`"), WHERE_INSTEAD))
        }
    }
}

fn other_data(path: &str) -> Mistake {
    not_offered(
        path,
        "comparing with other data (`$`) inside a filter",
        WHERE_INSTEAD,
    )
}
