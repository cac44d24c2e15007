//! Which items are new, and where a poll stands after them.

use serde_json::{Value, json};

use super::Stand;

/// Polls a listing of `[cursor value, name]` and answers the names of what is new.
fn poll(stand: &mut Option<Stand>, listing: Value) -> Vec<String> {
    let begun_at = stand.clone();
    let mut new = Vec::new();
    for item in listing.as_array().unwrap() {
        let is_new = begun_at
            .as_ref()
            .is_none_or(|begun_at| begun_at.is_new(&item[0], item).unwrap());
        *stand = Some(Stand::past(stand.take(), &item[0], item).unwrap());
        if is_new {
            new.push(item[1].as_str().unwrap().to_owned());
        }
    }
    new
}

#[test]
fn what_is_at_the_cursor_is_new_once() {
    let mut stand = None;
    assert_eq!(poll(&mut stand, json!([[1, "a"], [2, "b"]])), ["a", "b"]);
    assert_eq!(poll(&mut stand, json!([[2, "b"]])), [""; 0]);
    assert_eq!(poll(&mut stand, json!([[2, "b"], [2, "c"]])), ["c"]);
    assert_eq!(
        poll(&mut stand, json!([[3, "d"], [2, "c"], [1, "a"]])),
        ["d"]
    );
    let kept = stand.as_ref().map(Stand::to_value).unwrap();
    assert_eq!(kept["at"], json!(3));
    assert_eq!(Stand::read(&kept), stand);
}

#[test]
fn a_cursor_never_goes_back_and_knows_numbers_from_text() {
    for (low, high) in [
        (json!(9), json!(10)),
        (json!("9"), json!("10")),
        (json!("9"), json!(10)),
        (json!(1.5), json!(1.75)),
        (
            json!("2026-03-01T10:00:00+02:00"),
            json!("2026-03-01T09:00:00Z"),
        ),
        (json!("2026-03-01"), json!("2026-03-01T09:00:00Z")),
        (json!("2026-03-01 10:00:00"), json!("2026-03-01 10:00:01")),
    ] {
        for (first, second) in [(&low, &high), (&high, &low)] {
            let stand = Stand::past(None, first, &json!("x")).unwrap();
            let stand = Stand::past(Some(stand), second, &json!("y")).unwrap();
            assert_eq!(stand.at, Some(high.clone()), "{low} {high}");
        }
        assert!(!Stand::new(high.clone()).is_new(&low, &json!("x")).unwrap());
    }
    for strange in [json!(true), json!({ "a": 1 }), json!("x")] {
        let why = Stand::new(json!(1))
            .is_new(&strange, &json!("x"))
            .unwrap_err();
        assert_eq!(why.code, "no_cursor", "{strange}");
    }
}

#[test]
fn items_without_a_place_are_remembered_as_far_as_there_is_room() {
    let marks = |range: std::ops::Range<usize>| range.map(|mark| mark.to_string()).collect();
    let stand = Stand::default().with_unplaced(marks(0..10));
    let stand = stand.with_unplaced(marks(5..15));
    assert!((0..15).all(|mark| stand.knows(&mark.to_string())));
    assert_eq!(Stand::read(&stand.to_value()), Some(stand.clone()));
    let full = stand.with_unplaced(marks(1_000..11_000));
    assert!(full.knows("1000") && full.knows("10999") && !full.knows("0"));
}
