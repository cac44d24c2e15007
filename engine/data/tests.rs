//! Values in messages.

use serde_json::json;

use super::{beginning, quoted, told};

/// As long as the keys of vendors are.
const KEY: &str = "24deb1f082f9e27b99f8fd9c4fcc5660324777a8c595ccd410e137ef8a0b1c2d";

#[test]
fn a_value_is_told_whole_or_not_at_all() {
    for (value, is_told, is_quoted) in [
        (json!("abc"), "text (`abc`)", "`abc`"),
        (json!(5), "a whole number (5)", "`5`"),
        (json!({ "a": 1 }), "an object", "`{\"a\":1}`"),
        (json!(KEY), "text of 64 characters", "text of 64 characters"),
        (json!([KEY]), "a list", "text of 68 characters"),
    ] {
        assert_eq!(told(&value), is_told);
        assert_eq!(quoted(&value), is_quoted);
    }
    let longest = json!("é".repeat(60));
    assert!(told(&longest).contains("é"));
}

#[test]
fn a_text_that_is_cut_ends_where_a_word_does() {
    let text = format!("the key {KEY} is refused");
    assert_eq!(beginning(&text, text.len()), text);
    for chars in 8..8 + KEY.len() {
        assert_eq!(beginning(&text, chars), "the key...", "{chars}");
    }
    assert_eq!(beginning(KEY, 60), "...");
    assert_eq!(
        beginning(&format!("{{\"a\":\"b\",\"key\":\"{KEY}\"}}"), 60),
        "{\"a\":\"b\",\"key\":..."
    );
}
