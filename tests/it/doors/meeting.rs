//! Commands that come while somebody else has the workspace open.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::house::workspace;
use super::process::{ended, recipes, said};

#[test]
fn a_command_waits_for_a_server_that_is_just_starting_or_stopping() {
    let folder = workspace(&[]);
    said(&ended(folder.path(), &["jobs"]));
    // Who starts or stops has the lock and has not left word yet, or has taken it back.
    let lock = folder.path().join("data/recipes.db.lock");
    let lock = File::options().write(true).open(lock).unwrap();
    lock.lock().unwrap();
    let mut command = recipes(folder.path(), &["jobs"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut asking = command.spawn().unwrap();
    let mut lines = BufReader::new(asking.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("is just starting or stopping"), "{line}");
    lock.unlock().unwrap();
    let told = said(&asking.wait_with_output().unwrap());
    assert!(told.starts_with("job\tstatus\t"), "{told}");
    assert!(lines.next().is_none());
}
