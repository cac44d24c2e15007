//! Stand-ins: the same for the same, of the same kind, and nothing of what they stand for.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::super::{Hidden, StandIns};
use crate::shape::{Field, Shape};

fn person() -> Shape {
    let marked = || Field {
        personal: true,
        ..Field::optional(Shape::Any)
    };
    let names = ["mail", "name", "born", "phone", "number", "page", "key"];
    let fields = names.map(|name| (name.to_owned(), marked()));
    Shape::Fields(IndexMap::from(fields))
}

fn ada() -> Value {
    json!({
        "mail": "Ada@Academy.test",
        "name": "Al",
        "born": "1815-12-10",
        "phone": "+441234567",
        "number": 12_345_678,
        "page": "https://academy.test/ada",
        "key": "6f9619ff-8b86-4011-b42d-00c04fc964ff",
        "level": 3,
    })
}

fn stand_ins() -> StandIns {
    let mut hidden = Hidden::default();
    hidden.take(&ada());
    hidden.take(&json!("Ada Byron"));
    StandIns::of(hidden.masker().and_mails())
}

#[test]
fn a_stand_in_is_of_the_same_kind() {
    let shown = stand_ins().value(&person(), ada());
    assert_eq!(
        shown,
        json!({
            "mail": "person1@example.com",
            "name": "Sample2",
            "born": "2001-01-04",
            "phone": "+900000004",
            "number": 90_000_005,
            "page": "https://example.com/6",
            "key": "00000000-0000-4000-8000-000000000007",
            "level": 3,
        })
    );
}

#[test]
fn what_belonged_together_still_does() {
    let mut stand_ins = stand_ins();
    let mut shown = |value: Value| stand_ins.value(&Shape::Any, value);
    let mail = shown(json!("ada@academy.test"));
    assert_eq!(mail, "person1@example.com");
    let texts = json!(["<ADA@ACADEMY.TEST>", "?q=ada%40academy.test", { "ada@academy.test": 1 }]);
    let wanted = json!([
        "<person1@example.com>",
        "?q=person1@example.com",
        { "person1@example.com": 1 }
    ]);
    assert_eq!(shown(texts), wanted);
    // An address that nobody declared.
    assert_eq!(shown(json!("to bob@home.test.")), "to person2@example.com.");
    let number = shown(json!([12_345_678, "no. 12345678"]));
    assert_eq!(number, json!([90_000_003, "no. 90000003"]));
    // Put in twice, stand-ins stay.
    assert_eq!(shown(mail.clone()), mail);
    assert_eq!(shown(json!("Ada Byron, Ada Byron")), "Sample4, Sample4");
}

#[test]
fn a_short_text_has_its_stand_in_once_it_was_met_where_it_is_declared() {
    let mut stand_ins = stand_ins();
    assert_eq!(stand_ins.value(&Shape::Any, json!("al")), "al");
    stand_ins.value(&person(), ada());
    let told = stand_ins.told_by(&json!({ "who": "al" }), &|_| false);
    assert_eq!(told.as_deref(), Some("al"));
    let shown = stand_ins.value(&Shape::Any, json!(["AL", "also"]));
    assert_eq!(shown, json!(["Sample2", "also"]));
}

#[test]
fn what_still_tells_is_found() {
    let mut stand_ins = stand_ins();
    let shown = stand_ins.value(&person(), ada());
    let nothing = |_: &str| false;
    assert_eq!(stand_ins.told_by(&shown, &nothing), None);
    let cases = [
        json!("by Ada Byron"),
        json!({ "x": ["ada@academy.test"] }),
        json!({ "bob@home.test": 1 }),
        json!(12_345_678),
    ];
    for telling in cases {
        assert!(stand_ins.told_by(&telling, &nothing).is_some(), "{telling}");
        assert_eq!(
            stand_ins.told_by(&telling, &|_| true).is_some(),
            telling.is_number()
        );
    }
}

#[test]
fn of_many_stand_ins_the_longest_is_known_again() {
    let mut stand_ins = stand_ins();
    for number in 0..200 {
        stand_ins.whole(json!(format!("name {number}")));
    }
    // A text of stand-ins alone, some of which begin like others, stays as it is.
    let text = "Sample1, Sample12Sample123 and (Sample19)";
    assert_eq!(stand_ins.text(text), text);
    assert_eq!(stand_ins.text("Ada Byron, Sample12"), "Sample201, Sample12");
}
