//! What an action sends, as described.

use crate::expression::Expression;

/// A request as described: values are still expressions over `connection`, `input` and `call`.
#[derive(Clone, Debug)]
pub enum Request {
    /// An HTTP request.
    Http(Box<HttpRequest>),
    /// A mail through the connection's server.
    Mail,
}

/// An HTTP request as described.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method: a word such as `GET`, or a value that gives one.
    pub method: Expression,
    /// The path below the base URL.
    pub path: Path,
    /// The query; a list repeats its name.
    pub query: Vec<(String, Expression)>,
    /// Headers beside the connector's.
    pub headers: Vec<(String, Expression)>,
    /// A value that gives further query fields or headers by name.
    pub more: More,
    /// The body.
    pub body: Body,
}

/// Whole objects of query fields and headers, given as one value.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// An object of query fields.
    pub query: Option<Expression>,
    /// An object of headers.
    pub headers: Option<Expression>,
}

/// A path template.
#[derive(Clone, Debug)]
pub enum Path {
    /// Literal parts and inserted values; what is inserted is percent-encoded.
    Template(Vec<PathPart>),
    /// A value that is the whole path, slashes, query and all.
    Whole(Expression),
}

/// One part of a path template.
#[derive(Clone, Debug)]
pub enum PathPart {
    /// Text as written.
    Literal(String),
    /// An inserted value.
    Inserted(Expression),
}

/// A body as described.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    None,
    /// A JSON tree.
    Json(Tree),
    /// Form fields; a list repeats its name.
    Form(Vec<(String, Expression)>),
    /// A table as CSV, the first line holding the names of the columns.
    Csv {
        /// The columns, which are the names of the rows' fields.
        columns: Vec<String>,
        /// A list of objects.
        rows: Expression,
    },
    /// A GraphQL query.
    Graphql {
        /// The query.
        query: String,
        /// Its variables.
        variables: Tree,
    },
    /// Anything else.
    Raw {
        /// Its content type.
        content_type: Expression,
        /// Its text.
        text: Expression,
    },
}

/// A tree of values with repetitions in it.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A value without repetitions.
    Value(Expression),
    /// A mapping with repetitions somewhere below.
    Map(Vec<(String, Tree)>),
    /// A list with repetitions somewhere below.
    List(Vec<Tree>),
    /// One copy of a tree for each element of a list, which is the root `item` there.
    Each {
        /// The list; if it is absent, so is the whole.
        list: Expression,
        /// The tree.
        give: Box<Tree>,
    },
}
