//! The request to send, as data.
//!
//! In: an action, the connection's values and the call's input. Out: a [`RequestPlan`].
//! Always true: what is inserted into a path is percent-encoded and cannot leave its segment; a
//! request never goes to another host than the connection's; absent values are left out.

use std::fmt;

use url::Url;

use super::body::{body, merge, put_into_body};
use super::output::evaluate;
use super::page::{Page, sent_with};
use super::paging::{PageKind, Target};
use super::request::{HttpRequest, Path, PathPart, Request};
use super::roots::Values;
use super::trouble::Trouble;
use super::{Action, Connector};
use crate::data::{Value, kind_of};
use crate::expression::Expression;

/// A request to send. It may hold secrets, so it prints only its method and path.
#[derive(Clone, PartialEq)]
pub struct RequestPlan {
    /// The method in capitals.
    pub method: String,
    /// The whole address, query included.
    pub url: Url,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: PlannedBody,
}

/// A body to send.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedBody {
    /// None.
    None,
    /// JSON.
    Json(Value),
    /// Form fields.
    Form(Vec<(String, String)>),
    /// Text of some content type.
    Text {
        /// The content type.
        content_type: String,
        /// The text.
        text: String,
    },
}

/// What a request is made of.
pub struct Arguments<'a> {
    /// The connector.
    pub connector: &'a Connector,
    /// The action.
    pub action: &'a Action,
    /// The roots `connection`, `input` and `call`.
    pub values: &'a Values,
    /// Body fields that the action does not declare.
    pub also_send: Option<&'a Value>,
    /// The page to ask for, of a listing.
    pub page: &'a Page,
    /// The base URL, if the token gave one.
    pub base_url: Option<&'a str>,
}

impl fmt::Debug for RequestPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestPlan({} {})", self.method, self.url.path())
    }
}

/// The request of an action's call, without its sign-in.
pub fn plan(arguments: &Arguments<'_>) -> Result<RequestPlan, Trouble> {
    let Request::Http(request) = &arguments.action.request else {
        return Err(invalid("this action is no HTTP request"));
    };
    let values = arguments.values;
    let base = base_url(arguments)?;
    let mut plan = RequestPlan {
        method: text(&request.method, values)?.to_ascii_uppercase(),
        url: address(&base, &request.path, values)?,
        headers: Vec::new(),
        body: body(&request.body, values)?,
    };
    for (name, value) in &arguments.connector.headers {
        put_header(&mut plan, name, &evaluated(value, values)?)?;
    }
    for (name, value) in fields(&request.query, request.more.query.as_ref(), values)? {
        put_query(&mut plan, &name, &value)?;
    }
    for (name, value) in fields(&request.headers, request.more.headers.as_ref(), values)? {
        put_header(&mut plan, &name, &Some(value))?;
    }
    if let Some(also_send) = arguments.also_send {
        merge(&mut plan.body, also_send)?;
    }
    put_page(&mut plan, arguments, &base)?;
    Ok(plan)
}

/// Puts what the page needs into the request.
fn put_page(plan: &mut RequestPlan, arguments: &Arguments<'_>, base: &Url) -> Result<(), Trouble> {
    let Some(pages) = &arguments.action.pages else {
        return Ok(());
    };
    let page = arguments.page;
    if let (PageKind::NextUrl, Some(Value::String(next))) = (pages.by, &page.at) {
        plan.url = same_host(base, next)?;
        return Ok(());
    }
    for (target, value) in sent_with(pages, page) {
        put(plan, &target, value)?;
    }
    if page.index == 0 {
        for (target, value) in &pages.on_first {
            if let Some(value) = evaluated(value, arguments.values)? {
                put(plan, target, value)?;
            }
        }
    }
    Ok(())
}

fn put(plan: &mut RequestPlan, target: &Target, value: Value) -> Result<(), Trouble> {
    match target {
        Target::Query(name) => {
            // A page's number replaces what the request itself says.
            drop_query(&mut plan.url, name);
            put_query(plan, name, &value)
        }
        Target::Header(name) => put_header(plan, name, &Some(value)),
        Target::Body(path) => put_into_body(&mut plan.body, path, value),
    }
}

/// Takes a field out of a query.
pub(super) fn drop_query(url: &mut Url, name: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(known, _)| known != name)
        .map(|(known, value)| (known.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
}

fn put_query(plan: &mut RequestPlan, name: &str, value: &Value) -> Result<(), Trouble> {
    let texts = texts(value).map_err(|why| within(&format!("query field `{name}`"), why))?;
    if !texts.is_empty() {
        plan.url
            .query_pairs_mut()
            .extend_pairs(texts.iter().map(|text| (name, text)));
    }
    Ok(())
}

fn put_header(plan: &mut RequestPlan, name: &str, value: &Option<Value>) -> Result<(), Trouble> {
    let Some(value) = value else { return Ok(()) };
    let texts = texts(value).map_err(|why| within(&format!("header `{name}`"), why))?;
    plan.headers
        .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    plan.headers
        .extend(texts.into_iter().map(|text| (name.to_owned(), text)));
    Ok(())
}

/// Single fields, and those of a whole object.
fn fields(
    single: &[(String, Expression)],
    whole: Option<&Expression>,
    values: &Values,
) -> Result<Vec<(String, Value)>, Trouble> {
    let mut fields = Vec::new();
    for (name, value) in single {
        fields.extend(evaluated(value, values)?.map(|value| (name.clone(), value)));
    }
    match whole
        .map(|whole| evaluated(whole, values))
        .transpose()?
        .flatten()
    {
        None | Some(Value::Null) => {}
        Some(Value::Object(object)) => fields.extend(object),
        Some(other) => {
            let there = kind_of(&other);
            return Err(invalid(format!(
                "query and headers must be objects, not {there}"
            )));
        }
    }
    Ok(fields)
}

fn base_url(arguments: &Arguments<'_>) -> Result<Url, Trouble> {
    let written = match (arguments.base_url, &arguments.connector.base_url) {
        (Some(given), _) => given.to_owned(),
        (None, Some(base)) => text(base, arguments.values)?,
        (None, None) => return Err(invalid("the connector has no `base_url`")),
    };
    parse_base(&written)
}

/// A base URL: absolute, http or https, without query.
pub(super) fn parse_base(written: &str) -> Result<Url, Trouble> {
    let wrong = |why: &str| {
        Trouble::new(
            "wrong_base_url",
            format!("the base URL `{written}` {why}; write it like https://api.example.com"),
        )
    };
    let url = Url::parse(written.trim()).map_err(|_| wrong("is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("must begin with https:// or http://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have no `?` or `#`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::new(
            "wrong_base_url",
            "the base URL must hold no user name or password; sign-in has fields of its own",
        ));
    }
    Ok(url)
}

fn address(base: &Url, path: &Path, values: &Values) -> Result<Url, Trouble> {
    let path = match path {
        Path::Whole(whole) => {
            let whole = text(whole, values)?;
            if whole.contains("://") {
                return same_host(base, &whole);
            }
            whole
        }
        Path::Template(parts) => {
            let mut path = String::new();
            for part in parts {
                match part {
                    PathPart::Literal(literal) => path.push_str(literal),
                    PathPart::Inserted(value) => path.push_str(&segment(value, values)?),
                }
            }
            path
        }
    };
    let joined = format!(
        "{}/{}",
        base.as_str().trim_end_matches('/'),
        path.trim_start_matches('/')
    );
    Url::parse(&joined).map_err(|_| invalid(format!("`{path}` is no path")))
}

/// An inserted value, encoded so that it stays one segment.
fn segment(value: &Expression, values: &Values) -> Result<String, Trouble> {
    use std::fmt::Write;
    let text = text(value, values)?;
    if matches!(text.trim(), "" | "." | "..") {
        return Err(invalid(format!("`{text}` cannot stand in a path")));
    }
    Ok(text.bytes().fold(String::new(), |mut segment, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
        segment
    }))
}

/// An address given by a vendor or a value, which must be on the connection's own host.
fn same_host(base: &Url, written: &str) -> Result<Url, Trouble> {
    let url = base
        .join(written)
        .map_err(|_| invalid(format!("`{written}` is no URL")))?;
    if url.origin() != base.origin() {
        return Err(Trouble::new(
            "foreign_host",
            format!(
                "`{}` is not the connection's host",
                url.host_str().unwrap_or("")
            ),
        ));
    }
    Ok(url)
}

/// A value that may be absent.
pub(super) fn evaluated(value: &Expression, values: &Values) -> Result<Option<Value>, Trouble> {
    evaluate(value, values).map_err(invalid)
}

/// A value that must be one text.
pub(super) fn text(value: &Expression, values: &Values) -> Result<String, Trouble> {
    let value = evaluated(value, values)?.unwrap_or(Value::Null);
    match texts(&value)?.as_slice() {
        [text] => Ok(text.clone()),
        _ => Err(invalid(format!("expected text, not {}", kind_of(&value)))),
    }
}

/// A value as the texts that a query, header or form sends.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Trouble> {
    Ok(match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Array(list) => {
            let mut all = Vec::with_capacity(list.len());
            for value in list {
                all.extend(texts(value)?);
            }
            all
        }
        Value::Object(_) => {
            return Err(invalid(
                "an object cannot be sent here; use `to_json` or name its fields",
            ));
        }
    })
}

fn within(place: &str, mut trouble: Trouble) -> Trouble {
    trouble.message = format!("{place}: {}", trouble.message);
    trouble
}

pub(super) fn invalid(why: impl Into<String>) -> Trouble {
    Trouble::new("invalid_request", why)
}

impl HttpRequest {
    /// Method and path as they are sent with these arguments; `None` if more decides on them.
    pub fn line(&self, input: &Value) -> Option<String> {
        let values = Values::new(crate::clock::Moment(0), "");
        let values = values.with("input", std::sync::Arc::new(input.clone()));
        let method = text(&self.method, &values).ok()?;
        let base = Url::parse("http://any").ok()?;
        let url = address(&base, &self.path, &values).ok()?;
        Some(format!("{} {}", method.to_ascii_uppercase(), url.path()))
    }

    /// The fixed method, if it is one.
    pub fn fixed_method(&self) -> Option<String> {
        let values = Values::new(crate::clock::Moment(0), "");
        text(&self.method, &values).ok()
    }
}
