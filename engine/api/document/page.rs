//! The document as a page for people.
//!
//! In: the document. Out: HTML without scripts, which needs nothing from elsewhere.

use std::fmt::Write;

use crate::data::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;\
padding:0 1em;color:#222}h2{margin-top:2em;text-transform:capitalize}section{border-top:1px solid \
#ccc;padding:.5em 0}code,pre{font:14px/1.45 ui-monospace,monospace;background:#f4f4f4}pre{padding:\
.7em;overflow:auto}.method{display:inline-block;min-width:4.5em;font-weight:700;text-transform:\
uppercase}table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.15em 1em \
.15em 0}summary{cursor:pointer}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}\
code,pre{background:#262626}section{border-color:#444}a{color:#8bf}}";

/// The page.
pub(super) fn page(document: &Value) -> String {
    let mut page = String::new();
    let title = text(&document["info"]["title"]);
    let _ = write!(
        page,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport \
         content=\"width=device-width\"><title>{title}: the API</title><style>{STYLE}</style>\
         <h1>{title}: the API</h1><p>{}</p><p>Send the header <code>Authorization: Bearer \
         TOKEN</code>. The same for programs: <a href=openapi.json>openapi.json</a> (OpenAPI \
         3.1).</p>",
        text(&document["info"]["description"])
    );
    let mut topic = String::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let own = text(&operation["tags"][0]);
            if own != topic {
                let _ = write!(page, "<h2>{own}</h2>");
                topic = own;
            }
            section(&mut page, path, method, operation);
        }
    }
    page.push_str("<h2>forms</h2>");
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.into_iter().flatten() {
        let _ = write!(
            page,
            "<section id=\"{name}\"><details><summary><code>{name}</code></summary>{}</details>\
             </section>",
            block(schema)
        );
    }
    page.push_str("</html>");
    page
}

fn section(page: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        page,
        "<section id=\"{}\"><h3><span class=method>{method}</span> <code>{}</code></h3><p>{} {}</p>",
        text(&operation["operationId"]),
        escaped(path),
        text(&operation["summary"]),
        text(&operation["description"]),
    );
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: String = parameters
        .filter(|parameter| parameter["in"] != "path")
        .map(|parameter| {
            format!(
                "<tr><td><code>{}</code><td>{}<td>{}",
                text(&parameter["name"]),
                text(&parameter["in"]),
                text(&parameter["description"])
            )
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(page, "<table>{rows}</table>");
    }
    let body = operation["requestBody"]["content"].as_object();
    for (media, content) in body.into_iter().flatten() {
        let _ = write!(
            page,
            "<details><summary>takes <code>{media}</code></summary>{}</details>",
            block(&content["schema"])
        );
    }
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        answered(page, status, answer);
    }
    page.push_str("</section>");
}

fn answered(page: &mut String, status: &str, answer: &Value) {
    let says = text(&answer["description"]);
    // A refusal is a problem object wherever it comes from.
    if status.starts_with(['4', '5']) {
        let _ = write!(page, "<div><code>{status}</code> {says}</div>");
        return;
    }
    for (media, content) in answer["content"].as_object().into_iter().flatten() {
        let _ = write!(
            page,
            "<details><summary><code>{status}</code> {says} <code>{media}</code></summary>{}\
             </details>",
            block(&content["schema"])
        );
    }
}

/// A schema as it stands in the document, with links to what it names.
fn block(schema: &Value) -> String {
    let written = serde_json::to_string_pretty(schema).unwrap_or_default();
    let mut shown = String::new();
    for line in written.lines() {
        let named = line.split_once("\"#/components/schemas/");
        match named.and_then(|(before, rest)| Some((before, rest.split_once('"')?))) {
            Some((before, (name, after))) => {
                let _ = write!(
                    shown,
                    "{}<a href=\"#{name}\">{name}</a>{}",
                    escaped(before),
                    escaped(after)
                );
            }
            None => shown.push_str(&escaped(line)),
        }
        shown.push('\n');
    }
    format!("<pre>{shown}</pre>")
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
