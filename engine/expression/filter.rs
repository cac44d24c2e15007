//! The names that a path's filter uses, against the shape of what it filters.
//!
//! In: a filter and the shape of the elements. Out: the first name that no element can have, so
//! that a misspelt field never quietly filters everything away.

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, SingularQuery,
    SingularQuerySegment, Test, TestFunction,
};

use crate::shape::{Member, Shape};

/// A name that the elements do not have, and the shape that lacks it.
pub(super) type Lacking = (String, Shape);

/// The first name in a query's filter that no element can have.
pub(super) fn lacking(query: &JpQuery, element: &Shape) -> Option<Lacking> {
    match query.segments.first() {
        Some(Segment::Selector(Selector::Filter(filter))) => in_filter(filter, element),
        _ => None,
    }
}

fn in_filter(filter: &Filter, element: &Shape) -> Option<Lacking> {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => {
            parts.iter().find_map(|part| in_filter(part, element))
        }
        Filter::Atom(FilterAtom::Filter { expr, .. }) => in_filter(expr, element),
        Filter::Atom(FilterAtom::Test { expr, .. }) => in_test(expr, element),
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (left, right) = comparison.vals();
            in_comparable(left, element).or_else(|| in_comparable(right, element))
        }
    }
}

fn in_test(test: &Test, element: &Shape) -> Option<Lacking> {
    match test {
        Test::RelQuery(segments) => {
            let names = segments.iter().map(|segment| match segment {
                Segment::Selector(Selector::Name(name)) => Some(name.as_str()),
                _ => None,
            });
            along(names, element)
        }
        Test::Function(function) => in_function(function, element),
        Test::AbsQuery(_) => None,
    }
}

fn in_comparable(comparable: &Comparable, element: &Shape) -> Option<Lacking> {
    match comparable {
        Comparable::SingularQuery(SingularQuery::Current(segments)) => {
            let names = segments.iter().map(|segment| match segment {
                SingularQuerySegment::Name(name) => Some(name.as_str()),
                SingularQuerySegment::Index(_) => None,
            });
            along(names, element)
        }
        Comparable::Function(function) => in_function(function, element),
        _ => None,
    }
}

fn in_function(function: &TestFunction, element: &Shape) -> Option<Lacking> {
    let argument = |argument: &FnArg| match argument {
        FnArg::Test(test) => in_test(test, element),
        _ => None,
    };
    match function {
        TestFunction::Length(value) => argument(value),
        TestFunction::Match(value, pattern) | TestFunction::Search(value, pattern) => {
            argument(value).or_else(|| argument(pattern))
        }
        _ => None,
    }
}

/// Follows names through a shape, as far as both are known.
fn along<'n>(names: impl Iterator<Item = Option<&'n str>>, element: &Shape) -> Option<Lacking> {
    let mut shape = element.clone();
    for name in names {
        let next = match (name, shape.member(name?)) {
            (_, Member::Field(field)) => field.shape.clone(),
            (_, Member::Unknown) => return None,
            (Some(name), _) => return Some((name.to_owned(), shape)),
            (None, _) => return None,
        };
        shape = next;
    }
    None
}
