//! How a request is signed: headers, query, Basic, or a token of OAuth2.
//!
//! Always true: secrets are resolved only here and in [`super::plan`], and never printed.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use indexmap::IndexMap;
use url::Url;

use super::convert::integer;
use super::message::message;
use super::output::evaluate;
use super::plan::{PlannedBody, RequestPlan, drop_query, parse_base, text};
use super::reply::Reply;
use super::roots::Values;
use super::trouble::Trouble;
use crate::data::{Object, Secret, Value};
use crate::expression::Expression;
use crate::shape::{Shape, convert};

/// How a request is signed, over the root `connection`.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Not at all.
    None,
    /// Headers.
    Header(Vec<(String, Expression)>),
    /// Fields of the query.
    Query(Vec<(String, Expression)>),
    /// HTTP Basic.
    Basic {
        /// The user name.
        username: Expression,
        /// The password.
        password: Expression,
    },
    /// A token that is fetched first.
    OAuth2(Box<OAuth2>),
    /// One of several ways, chosen by a value.
    Choose {
        /// The value.
        by: Expression,
        /// The ways.
        cases: IndexMap<String, SignIn>,
    },
}

/// A token of OAuth2.
#[derive(Clone, Debug)]
pub struct OAuth2 {
    /// What the token is given for.
    pub grant: Grant,
    /// Where it is fetched: a path below the base URL, or a whole URL.
    pub token: Expression,
    /// How client id and secret are sent.
    pub send: ClientSecretIn,
    /// The client's id.
    pub client_id: Option<Expression>,
    /// The client's secret.
    pub client_secret: Option<Expression>,
    /// The first refresh token, of that grant.
    pub refresh_token: Option<Expression>,
    /// All other fields of the request.
    pub fields: Vec<(String, Expression)>,
    /// How long before its end a token is renewed.
    pub refresh_before: Duration,
    /// A base URL in the token answer.
    pub base_url: Option<Expression>,
}

/// What a token is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A user's name and password.
    Password,
    /// The client itself.
    ClientCredentials,
    /// A refresh token, which each answer may replace.
    RefreshToken,
}

/// How a token request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientSecretIn {
    /// All fields in a form.
    Form,
    /// All fields in a JSON object.
    Json,
    /// Client id and secret as HTTP Basic, the rest in a form.
    Basic,
}

/// A token that was fetched.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub access: Secret,
    /// How long it holds.
    pub expires_in: Duration,
    /// The refresh token that replaces the last one.
    pub refresh: Option<Secret>,
    /// The base URL that goes with it.
    pub base_url: Option<String>,
}

/// How long a token holds if the vendor does not say.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);

impl Grant {
    /// The grant as the protocol names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }
}

impl SignIn {
    /// The way that this connection uses.
    pub fn chosen(&self, values: &Values) -> Result<&SignIn, Trouble> {
        let Self::Choose { by, cases } = self else {
            return Ok(self);
        };
        let chosen = text(by, values)?;
        match cases.get(&chosen) {
            Some(case) => case.chosen(values),
            None => {
                let known: Vec<&str> = cases.keys().map(String::as_str).collect();
                Err(Trouble::new(
                    "sign_in_failed",
                    format!(
                        "`{chosen}` is no way to sign in here; known are {}",
                        known.join(", ")
                    ),
                ))
            }
        }
    }

    /// Signs a request; a token is needed for [`SignIn::OAuth2`].
    pub fn sign(
        &self,
        plan: &mut RequestPlan,
        values: &Values,
        token: Option<&Secret>,
    ) -> Result<(), Trouble> {
        match self {
            Self::None => Ok(()),
            Self::Header(headers) => {
                for (name, value) in headers {
                    let value = text(value, values)?;
                    plan.headers
                        .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                    plan.headers.push((name.clone(), value));
                }
                Ok(())
            }
            Self::Query(fields) => {
                for (name, value) in fields {
                    let value = text(value, values)?;
                    // The address of a next page may carry the field, masked or outdated.
                    if plan.url.query_pairs().any(|(known, _)| known == **name) {
                        drop_query(&mut plan.url, name);
                    }
                    plan.url.query_pairs_mut().append_pair(name, &value);
                }
                Ok(())
            }
            Self::Basic { username, password } => {
                let (username, password) = (text(username, values)?, text(password, values)?);
                plan.headers.push(basic(&username, &password));
                Ok(())
            }
            Self::OAuth2(_) => {
                let token = token.ok_or_else(|| {
                    Trouble::new(
                        "sign_in_failed",
                        "there is no token to sign the request with",
                    )
                })?;
                let value = format!("Bearer {}", token.reveal());
                plan.headers.push(("Authorization".to_owned(), value));
                Ok(())
            }
            Self::Choose { .. } => self.chosen(values)?.sign(plan, values, token),
        }
    }
}

impl OAuth2 {
    /// The request for a token. `rotated` is the refresh token that a former answer gave.
    pub fn request(
        &self,
        base_url: Option<&Expression>,
        values: &Values,
        rotated: Option<&Secret>,
    ) -> Result<RequestPlan, Trouble> {
        let mut fields = vec![("grant_type".to_owned(), self.grant.as_str().to_owned())];
        let client_id = self
            .client_id
            .as_ref()
            .map(|id| text(id, values))
            .transpose()?;
        let secret = self
            .client_secret
            .as_ref()
            .map(|id| text(id, values))
            .transpose()?;
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        if self.send == ClientSecretIn::Basic {
            let id = client_id.as_deref().unwrap_or_default();
            headers.push(basic(id, secret.as_deref().unwrap_or_default()));
        } else {
            fields.extend(client_id.map(|id| ("client_id".to_owned(), id)));
            fields.extend(secret.map(|secret| ("client_secret".to_owned(), secret)));
        }
        if self.grant == Grant::RefreshToken {
            let token = match (rotated, &self.refresh_token) {
                (Some(rotated), _) => rotated.reveal().to_owned(),
                (None, Some(first)) => text(first, values)?,
                (None, None) => String::new(),
            };
            fields.push(("refresh_token".to_owned(), token));
        }
        for (name, value) in &self.fields {
            if evaluate(value, values).is_ok_and(|value| value.is_none()) {
                continue;
            }
            fields.push((name.clone(), text(value, values)?));
        }
        Ok(RequestPlan {
            method: "POST".to_owned(),
            url: self.address(base_url, values)?,
            headers,
            body: match self.send {
                ClientSecretIn::Json => PlannedBody::Json(Value::Object(
                    fields
                        .into_iter()
                        .map(|(name, text)| (name, text.into()))
                        .collect::<Object>(),
                )),
                _ => PlannedBody::Form(fields),
            },
        })
    }

    fn address(&self, base: Option<&Expression>, values: &Values) -> Result<Url, Trouble> {
        let written = text(&self.token, values)?;
        if written.contains("://") {
            return parse_base(&written);
        }
        let Some(base) = base else {
            return Err(Trouble::new(
                "sign_in_failed",
                "the token's URL needs a `base_url`",
            ));
        };
        let base = parse_base(&text(base, values)?)?;
        let base = base.as_str().trim_end_matches('/');
        parse_base(&format!("{base}/{}", written.trim_start_matches('/')))
    }
}

/// The token in a reply, or why there is none.
pub fn read_token(
    oauth2: &OAuth2,
    title: &str,
    values: &Values,
    reply: &Reply,
) -> Result<Token, Trouble> {
    let failed = |why: String| Trouble {
        code: "sign_in_failed".to_owned(),
        message: format!("signing in to {title} failed: {why}"),
        status: Some(reply.status),
        body: None,
    };
    if !(200..300).contains(&reply.status) {
        let words = message(&[], values, reply.body()).unwrap_or_default();
        return Err(failed(format!(
            "the token request was answered {}: {words}",
            reply.status
        )));
    }
    let Value::Object(answer) = reply.body() else {
        return Err(failed(format!(
            "the token request was answered {} with {} instead of JSON; is the address right?",
            reply.status,
            if reply
                .header("content-type")
                .is_some_and(|kind| kind.contains("html"))
            {
                "a web page"
            } else {
                crate::data::kind_of(reply.body())
            }
        )));
    };
    let Some(access) = answer.get("access_token").and_then(Value::as_str) else {
        return Err(failed("the answer has no `access_token`".to_owned()));
    };
    let expires_in = answer
        .get("expires_in")
        .and_then(|value| integer(value)?.as_u64())
        .map_or(USUAL_LIFETIME, Duration::from_secs);
    let scope = values.with("reply", reply.root());
    let base_url = match &oauth2.base_url {
        Some(base_url) => evaluate(base_url, &scope)
            .map_err(failed)?
            .and_then(|value| convert(&Shape::String, value).ok().flatten())
            .and_then(|value| value.as_str().map(str::to_owned)),
        None => None,
    };
    Ok(Token {
        access: Secret::new(access),
        expires_in,
        refresh: answer
            .get("refresh_token")
            .and_then(Value::as_str)
            .filter(|token| !token.is_empty())
            .map(Secret::new),
        base_url,
    })
}

fn basic(username: &str, password: &str) -> (String, String) {
    let encoded = BASE64_STANDARD.encode(format!("{username}:{password}"));
    ("Authorization".to_owned(), format!("Basic {encoded}"))
}
