//! Keys of steps as places in a tree.

use super::tree::parent_of;

#[test]
fn every_key_stands_in_another_one() {
    let cases = [
        ("a", ""),
        ("a/b", "a"),
        ("a[3]", "a"),
        ("a[3]/b", "a[3]"),
        ("a[3]~2/b~2", "a[3]~2/b"),
        ("a[1.2]/b", "a[1.2]"),
        ("set@3", ""),
        ("a/set@3/do/1", "a"),
        ("if@0/do/3/created", "if@0/do/3"),
        ("if@0/do/3/set@0/do/3/then/1", "if@0/do/3"),
        ("foreach@1/then/2[0]/b", "foreach@1/then/2[0]"),
        ("foreach@1/then/2[0]", "foreach@1/then/2"),
        ("call:project/name@0/b", "call:project/name@0"),
        ("a[0]/call:project/name@0/do/2", "a[0]"),
        ("switch@2/case0/1/b", "switch@2/case0/1"),
    ];
    for (key, parent) in cases {
        assert_eq!(parent_of(key), parent, "{key}");
    }
}
