//! What is wrong in files of a workspace is told where it stands.

use super::house::{workspace, write};
use super::process::{ended, refused};

#[test]
fn a_wrong_value_of_the_settings_is_told_with_line_and_column() {
    let folder = workspace(&[]);
    for (line, place, why) in [
        ("address: nowhere", "2:10", "is not an address to listen at"),
        (
            "address: [1]",
            "2:10",
            "`address` is one text or number, not a list",
        ),
        (
            "public_url: nowhere",
            "2:13",
            "write it like https://recipes.example.com",
        ),
        ("history_age: soon", "2:14", "is not a length of time"),
        ("time_scale: fast", "2:13", "is no time scale"),
        (
            "key_file: { a: b }",
            "2:11",
            "`key_file` is one text or number, not",
        ),
        (
            "allow_private_hosts: [erp.internal, 1]",
            "2:37",
            "is a list of texts",
        ),
        (
            "allow_private_hosts: [erp.internal, 10.0.0.0/99]",
            "2:37",
            "`10.0.0.0/99`",
        ),
    ] {
        write(
            folder.path(),
            "settings.yaml",
            &format!("log: text\n{line}\n"),
        );
        let said = refused(&ended(folder.path(), &["serve"]), 1);
        assert!(
            said.contains(&format!("`settings.yaml`:{place}: ")),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
        let check = ended(folder.path(), &["check"]);
        let check = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(
            check.contains(&format!("--> settings.yaml:{place}\n")),
            "{check}"
        );
    }
}

#[test]
fn all_mistakes_of_the_settings_are_told_at_once() {
    let folder = workspace(&[]);
    let text = "histry: 30d\nhistory_age: 30 Tage\nhistory_size: much\nadress: 127.0.0.1:1\n\
                allow_private_hosts: [10.0.0.0/99, erp.internal, 10.0.0.0/98]\n";
    write(folder.path(), "settings.yaml", text);
    let served = ended(folder.path(), &["serve"]);
    assert_eq!(served.status.code(), Some(1));
    let said = String::from_utf8_lossy(&served.stderr).into_owned();
    for line in [
        "1:1: `histry` is no setting; did you mean `history_age` or `history_size`?",
        "2:14: `history_age`: ",
        "3:15: `history_size`: ",
        "4:1: `adress` is no setting; did you mean `address`?",
        "5:23: `allow_private_hosts`: ",
        "5:50: `allow_private_hosts`: ",
    ] {
        assert!(said.contains(&format!("`settings.yaml`:{line}")), "{said}");
    }
    let check = ended(folder.path(), &["check"]);
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.matches("--> settings.yaml:").count(), 6, "{check}");
}
