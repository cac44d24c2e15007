//! A file's bytes as YAML.
//!
//! In: what was found at a path. Out: the document, its text as far as there is one, and what is
//! wrong with it.

use std::sync::Arc;

use super::files::{Found, bytes_max};
use super::subject::start;
use crate::diagnostic::Report;
use crate::source::{self, Document, codes};

/// A file as YAML, or what is wrong with it.
pub(super) struct Opened {
    pub(super) document: Option<Document>,
    pub(super) text: Option<Arc<str>>,
    pub(super) report: Report,
}

/// Opens a file.
pub(super) fn open(path: &Arc<str>, found: &Found) -> Opened {
    match &found.bytes {
        Ok(bytes) => {
            let bytes_max = bytes_max(path);
            let (document, report) = source::parse_up_to(path, bytes, bytes_max);
            let text = match &document {
                Some(document) => Some(document.text.clone()),
                None if bytes.len() <= bytes_max => Some(Arc::from(String::from_utf8_lossy(bytes))),
                None => None,
            };
            Opened {
                document,
                text,
                report,
            }
        }
        Err(why) => {
            let mut report = Report::of(path);
            let why = format!("cannot be read: {why}");
            report
                .error(codes::UNREADABLE, start(), why)
                .help("check that it is a file, and who may read it");
            Opened {
                document: None,
                text: None,
                report,
            }
        }
    }
}
